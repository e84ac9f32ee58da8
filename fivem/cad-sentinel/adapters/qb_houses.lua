-- qb-houses (facts: qbcore-framework/qb-houses at a226879). It does not check what its events say, so
-- everything is read from the database.

local SELECT = [[
    SELECT l.name, l.label, l.coords, h.identifier, h.citizenid, h.keyholders
    FROM houselocations l LEFT JOIN player_houses h ON h.house = l.name
]]

Adapter('qb-houses', function(adapter)
    local houses = Houses.of(adapter, {
        seconds = 60, -- no event reports a transfer by phone
        read = function(done)
            Database.query(SELECT, {}, function(rows)
                local list = rows and {}
                for _, row in ipairs(rows or {}) do
                    list[#list + 1] = {
                        id = row.name,
                        location = row.label,
                        position = Database.json(row.coords).enter,
                        owner = row.identifier,
                        citizens = Database.json(row.keyholders),
                    }
                end
                Characters.move_in(list, done)
            end)
        end,
    })

    adapter.on('qb-log:server:CreateLog', function(kind)
        if kind == 'house' then
            houses.refresh()
        end
    end)
    adapter.watch({
        'qb-houses:server:addNewHouse',
        'qb-houses:server:buyHouse',
        'qb-houses:server:giveKey',
        'qb-houses:server:giveHouseKey',
        'qb-houses:server:removeHouseKey',
    }, function() houses.refresh() end)

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
            houses.report_raid(player, id)
        end
    end)
end)
