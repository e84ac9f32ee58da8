-- Keeps the bot's properties in step with the houses of a housing script: position, owner and keys.
-- Houses are read as a whole and compared with what was last reported, so it does not matter which
-- event, command or restart changed them.
--
--   h:<resource>:<id>   a house as it was reported: {id, location, x, y, owner, allowed}

Houses = {}

local MOST_REPORTS = 20 -- at once; each waits for the disk
local PAUSE = 100 -- milliseconds until the next ones
local STORE_DELAY = 1000 -- milliseconds until a script has stored what it was asked for
local REMOVED_AFTER = 60000 -- milliseconds for which a house must be missing to count as removed
local AT_THE_DOOR = 50 -- metres; covers an open interior

local every = {} -- what `Houses.of` has made, by resource

local function distance(a, b)
    return math.sqrt((a.x - b.x) ^ 2 + (a.y - b.y) ^ 2)
end

local function is_placed(house)
    return house.x ~= 0 or house.y ~= 0
end

local function stored_houses(prefix)
    local names, found = {}, {}
    local handle = StartFindKvp(prefix)
    local name = handle ~= -1 and FindKvp(handle)
    while name do
        names[#names + 1] = name
        name = FindKvp(handle)
    end
    EndFindKvp(handle)
    for _, key in ipairs(names) do
        local house = Database.json(GetResourceKvpString(key))
        if house.id then
            found[house.id] = house
        end
    end
    return found
end

-- What is reported of a house, in a form that can be compared.
local function normal(house, resource, before)
    local position = house.position or { x = 0, y = 0 }
    local allowed = {}
    for _, user in pairs(house.allowed or {}) do
        if user ~= house.owner then
            allowed[#allowed + 1] = user
        end
    end
    table.sort(allowed)
    return {
        id = tostring(house.id),
        location = tostring(house.location or house.id):sub(1, 150),
        x = math.floor(position.x + 0.5),
        y = math.floor(position.y + 0.5),
        -- A house that has lost its owner is the script's: the one before no longer sees it.
        owner = house.owner or before and resource or nil,
        allowed = allowed,
    }
end

local function set_of(list)
    local set = {}
    for _, value in ipairs(list) do
        set[value] = true
    end
    return set
end

-- Declares the houses of an adapter's resource.
--
-- `read(done)` reads them: `done(houses)` with a list of {id, location, position, owner, allowed}, the
-- last two as user ids, `owner` nil if nobody owns it; `done(nil)` if it cannot be read now. `seconds`
-- is how often they are read in any case. `stash(name)` is the id of the house of a stash, or nil.
function Houses.of(adapter, options)
    local houses = { reported = stored_houses(('h:%s:'):format(adapter.resource)) }
    local missing = {} -- since when, by id
    local is_due = false

    local function store(id, house)
        local name = ('h:%s:%s'):format(adapter.resource, id)
        houses.reported[id] = house
        if house then
            SetResourceKvpNoSync(name, json.encode(house))
        else
            DeleteResourceKvpNoSync(name)
        end
    end

    -- Reports what differs; returns whether all of it is on disk, and the number of reports.
    local function report(house, before)
        local property, reports = adapter.property(house.id), {}
        local is_new_owner = not before or before.owner ~= house.owner
        if is_new_owner or before.location ~= house.location or distance(before, house) >= 1 then
            reports[1] = {
                'PutProperty',
                { location = house.location, position = house, owner = house.owner },
            }
        end
        -- The bot empties the access list when the owner changes.
        local had = set_of(is_new_owner and {} or before.allowed)
        local has = set_of(house.allowed)
        for user in pairs(has) do
            if not had[user] then
                reports[#reports + 1] = { 'Allow', { user = user } }
            end
        end
        for user in pairs(had) do
            if not has[user] then
                reports[#reports + 1] = { 'Disallow', { user = user } }
            end
        end
        for _, entry in ipairs(reports) do
            local export, given = table.unpack(entry)
            given.property = property
            if not adapter.report(export, given) then
                return false, #reports
            end
        end
        return true, #reports
    end

    local function remove_missing(found)
        for id in pairs(houses.reported) do
            if found[id] or next(found) == nil then -- no house at all: the script is still loading
                missing[id] = nil
            elseif not missing[id] then
                missing[id] = GetGameTimer()
                SetTimeout(REMOVED_AFTER, houses.refresh)
            elseif GetGameTimer() - missing[id] >= REMOVED_AFTER then
                local given = { property = adapter.property(id), reason = Text('house_removed') }
                if adapter.report('RemoveProperty', given) then
                    missing[id] = nil
                    store(id, nil)
                end
            end
        end
    end

    local function compare(list)
        local count = 0
        for id, house in pairs(list) do
            local before = houses.reported[id]
            house = normal(house, adapter.resource, before)
            if house.owner then
                local is_stored, reports = report(house, before)
                if reports > 0 and is_stored then
                    store(id, house)
                end
                count = count + reports
                list[id] = nil
                if not is_stored then
                    return
                elseif count >= MOST_REPORTS then
                    SetTimeout(PAUSE, adapter.callback(function() compare(list) end))
                    return
                end
            end
        end
    end

    local function read()
        is_due = false
        options.read(adapter.callback(function(list)
            if not list then
                return
            end
            local found = {}
            for _, house in ipairs(list) do
                found[tostring(house.id)] = house
            end
            remove_missing(found)
            compare(found)
        end))
    end

    -- Reads the houses again in a moment, as something may have changed, or after some milliseconds.
    function houses.refresh(milliseconds)
        if milliseconds then
            adapter.verify_later(milliseconds, read)
        elseif not is_due then
            is_due = true
            SetTimeout(STORE_DELAY, function()
                is_due = false
                if adapter.is_started() then
                    adapter.callback(read)()
                end
            end)
        end
    end

    -- Whether a player owns a house or has a key.
    function houses.has_key(house, player)
        local user = adapter.user(player)
        return user ~= nil and (house.owner == user or set_of(house.allowed)[user] == true)
    end

    -- The house of an id if a player stands at it, or if nobody knows where it is.
    function houses.at(player, id)
        local house = houses.reported[tostring(id)]
        local position = house and adapter.position(player)
        if position and (not is_placed(house) or distance(position, house) <= AT_THE_DOOR) then
            return house
        end
    end

    -- The house that a player stands at or in and has a key of.
    function houses.of_key_holder(player)
        for id, house in pairs(houses.reported) do
            if is_placed(house) and houses.at(player, id) and houses.has_key(house, player) then
                return house
            end
        end
    end

    -- Forgets what was reported, so that all of it is reported again; returns how many houses.
    function houses.forget()
        local count = 0
        for id in pairs(houses.reported) do
            store(id, nil)
            count = count + 1
        end
        houses.refresh()
        return count
    end

    -- Reports that a player at a house tried to enter, with or without a key.
    function houses.scan(player, id, method)
        local house = houses.at(player, id)
        if not house then
            return
        end
        adapter.verify_later(500, function()
            local has_key = houses.has_key(house, player)
            adapter.report('BadgeScan', {
                property = adapter.property(house.id),
                user = player,
                allowed = has_key,
                method = method or 'key',
                reason = not has_key and Text('no_key') or nil,
            })
        end)
    end

    function houses.report_raid(player, id)
        adapter.report('BadgeScan', {
            property = adapter.property(id),
            user = player,
            allowed = true,
            method = 'raid',
            reason = Text('raid'),
        })
    end

    houses.stash = options.stash or function() end
    every[adapter.resource] = houses
    adapter.on_start(function() houses.refresh() end)
    local function refresh_periodically()
        if adapter.is_started() then
            houses.refresh()
        end
        SetTimeout(options.seconds * 1000, refresh_periodically)
    end
    SetTimeout(options.seconds * 1000, refresh_periodically)
    return houses
end

-- Reports all houses of all scripts again, as after a loss of the bot's database; returns how many.
function Houses.report_again()
    local count = 0
    for _, houses in pairs(every) do
        count = count + houses.forget()
    end
    return count
end

-- The property nearest to a position, as {source, id}; nil if none is within so many metres.
function Houses.near(position, metres)
    local nearest
    for resource, houses in pairs(every) do
        for id, house in pairs(houses.reported) do
            local away = is_placed(house) and distance(position, house) or metres + 1
            if away <= metres then
                nearest, metres = { source = resource, id = id }, away
            end
        end
    end
    return nearest
end

-- The property that a stash belongs to, as {source, id}; nil if it is no house's.
function Houses.of_stash(name)
    for resource, houses in pairs(every) do
        local id = houses.stash(name)
        if id and houses.reported[tostring(id)] then
            return { source = resource, id = tostring(id) }
        end
    end
end

local may_report = Players.limiter(60000) -- by house or place

-- Reports a break-in: an alarm at the property, or at the house nearest to the position, and a crime.
function Houses.break_in(adapter, position, text, property)
    property = property or Houses.near(position, AT_THE_DOOR)
    local place = property and json.encode(property)
        or ('%d %d'):format(position.x // AT_THE_DOOR, position.y // AT_THE_DOOR)
    if not may_report(place) then
        return
    end
    if property then
        -- The burglar is not named: the house does not know who it is either.
        adapter.report('Alarm', { property = property, user = adapter.resource, note = text })
    end
    adapter.report('Crime', {
        property = property,
        description = position and ('%s (%d, %d)'):format(text, position.x // 1, position.y // 1)
            or text,
    })
end
