-- qbx_properties (facts: Qbox-project/qbx_properties at 05bf04a).

local SELECT = 'SELECT id, property_name, coords, owner, keyholders FROM properties'

Adapter('qbx_properties', function(adapter)
    local names = {} -- ids by name, as stashes are called by it

    local houses = Houses.of(adapter, {
        seconds = 60, -- no event reports the end of a rent
        read = function(done)
            Database.query(SELECT, {}, function(rows)
                local list = rows and {}
                for _, row in ipairs(rows or {}) do
                    names[row.property_name] = row.id
                    local position = Database.json(row.coords)
                    list[#list + 1] = {
                        id = row.id,
                        location = row.property_name,
                        position = position.x and position or nil,
                        citizen = row.owner,
                        citizens = Database.json(row.keyholders),
                    }
                end
                Characters.move_in(list, done)
            end)
        end,
        stash = function(name)
            return names[name:match('^qbx_properties_([^:]+)')]
        end,
    })

    adapter.watch({
        'qbx_properties:server:createProperty',
        'qbx_properties:server:apartmentSelect',
        'qbx_properties:server:buyProperty',
        'qbx_properties:server:rentProperty',
        'qbx_properties:server:stopRenting',
        'qbx_properties:server:addKeyholder',
        'qbx_properties:server:removeKeyholder',
    }, function() houses.refresh() end)

    adapter.on_net('qbx_properties:server:enterProperty', function(player, data)
        if type(data) == 'table' then
            houses.scan(player, data.id)
        end
    end)

    adapter.on_net('qbx_properties:server:letRingerIn', function(player, citizen)
        local house = houses.of_key_holder(player)
        local guest = house and Characters.player_of(citizen)
        if not guest then
            return
        end
        adapter.verify_later(1000, function()
            if houses.at(guest, house.id) then
                adapter.report('Visit', { property = adapter.property(house.id), user = guest })
            end
        end)
    end)
end)
