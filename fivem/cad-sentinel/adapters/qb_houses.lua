-- qb-houses (facts: qbcore-framework/qb-houses at a226879). What its events say is checked by nobody
-- there, so all of it is read from the database.

local SELECT = [[
    SELECT l.name, l.label, l.coords, h.identifier, h.citizenid, h.keyholders
    FROM houselocations l LEFT JOIN player_houses h ON h.house = l.name
]]

Adapter('qb-houses', function(adapter)
    local houses = Houses.of(adapter, {
        seconds = 60, -- a transfer by phone is told to nobody
        read = function(done)
            Database.query(SELECT, {}, function(rows)
                local citizens = {}
                for _, row in ipairs(rows or {}) do
                    for _, citizen in pairs(Database.json(row.keyholders)) do
                        citizens[#citizens + 1] = citizen
                    end
                end
                Characters.find(citizens, function(users)
                    if not rows or not users then
                        done(nil)
                        return
                    end
                    local list = {}
                    for _, row in ipairs(rows) do
                        local allowed = {}
                        for _, citizen in pairs(Database.json(row.keyholders)) do
                            allowed[#allowed + 1] = users[citizen]
                        end
                        list[#list + 1] = {
                            id = row.name,
                            location = row.label,
                            position = Database.json(row.coords).enter,
                            owner = row.identifier,
                            allowed = allowed,
                        }
                    end
                    done(list)
                end)
            end)
        end,
    })

    adapter.on('qb-log:server:CreateLog', function(kind)
        if kind == 'house' then
            houses.look()
        end
    end)
    adapter.watch({
        'qb-houses:server:addNewHouse',
        'qb-houses:server:buyHouse',
        'qb-houses:server:giveKey',
        'qb-houses:server:giveHouseKey',
        'qb-houses:server:removeHouseKey',
    }, function() houses.look() end)

    adapter.on_net('qb-houses:server:SetInsideMeta', function(player, id, is_inside)
        if is_inside then
            houses.scan(player, id)
        end
    end)

    -- Somebody inside opens to somebody at the door.
    adapter.on_net('qb-houses:server:OpenDoor', function(player, guest, id)
        local house = houses.at(player, id)
        if not house or not houses.has_key(house, player) then
            return
        end
        adapter.verify_later(1000, function()
            if houses.at(guest, id) then
                adapter.report('Visit', { property = adapter.property(id), user = guest })
            end
        end)
    end)

    adapter.on_net('qb-houses:server:SetHouseRammed', function(player, is_rammed, id)
        if is_rammed and houses.at(player, id) and Characters.is_police(player) then
            adapter.report('BadgeScan', {
                property = adapter.property(id),
                user = player,
                allowed = true,
                method = 'raid',
                reason = Text('raid'),
            })
        end
    end)
end)
