-- ox_doorlock (facts: overextended/ox_doorlock at 4e56b7e; denied entries since 935e6ee).
--
-- Which property a door belongs to: Config.adapters['ox_doorlock'].doors says it by the door's name, as
-- { ['villa gate'] = 12 }; a door of ps-housing's open interiors says it itself; else it is the nearest
-- house of a housing script. Other doors are not reported.

local AT_THE_DOOR = 25 -- metres
local HOOK_TIME = 5000 -- milliseconds from the question whether somebody may to the door's movement

Adapter('ox_doorlock', function(adapter)
    local lockpicked = {} -- when, by player and door
    local opened = {}

    local function property_of(door)
        local name = tostring(door.name or '')
        local configured = (adapter.config.doors or {})[name]
        if configured then
            return configured
        end
        local id = name:match('^ps_mloproperty(.+)_%d+$')
        if id then
            return { source = 'ps-housing', id = id }
        end
        return door.coords and Houses.near(door.coords, AT_THE_DOOR)
    end

    local function is_recent(times, player, door)
        local at = times[player .. ' ' .. door]
        return at ~= nil and GetGameTimer() - at < HOOK_TIME
    end

    local function note(times, player, door)
        local now = GetGameTimer()
        for key, at in pairs(times) do
            if now - at >= HOOK_TIME then
                times[key] = nil
            end
        end
        times[player .. ' ' .. door] = now
    end

    -- What became of a door; nobody's doing if it locks itself.
    adapter.on('ox_doorlock:stateChanged', function(player, id, is_locked, item)
        if is_locked or type(player) ~= 'number' then
            return
        end
        note(opened, player, id)
        local door = exports.ox_doorlock:getDoor(id)
        local property = door and property_of(door)
        if not property then
            return
        elseif is_recent(lockpicked, player, id) then
            Houses.break_in(adapter, door.coords, Text('lock_picked'), property)
        else
            adapter.report('BadgeScan', {
                property = property,
                user = player,
                allowed = true,
                method = type(item) == 'string' and item or 'door',
            })
        end
    end)

    local may_report = Players.limiter(1000)

    local on_question = adapter.callback(function(question)
        local player, door = question.source, question.door
        if type(player) ~= 'number' or not door then
            return
        elseif question.lockpick and question.authorised then
            note(lockpicked, player, door.id)
        elseif not question.authorised and may_report(player) then
            -- Another resource may still allow it.
            adapter.verify_later(500, function()
                local property = not is_recent(opened, player, door.id) and property_of(door)
                if property then
                    adapter.report('BadgeScan', {
                        property = property,
                        user = player,
                        allowed = false,
                        method = question.lockpick and 'lockpick' or 'door',
                        reason = Text('no_key'),
                    })
                end
            end)
        end
    end)

    adapter.on_start(function()
        exports.ox_doorlock:registerHook('doorAuthorization', on_question)
    end)
end)
