-- qbx_properties (facts: Qbox-project/qbx_properties at 05bf04a).

local SELECT = 'SELECT id, property_name, coords, owner, keyholders FROM properties'

Adapter('qbx_properties', function(adapter)
    local names = {} -- ids by name, as stashes are called by it

    local houses = Houses.of(adapter, {
        seconds = 60, -- no event reports the end of a rent
        read = function(done)
            Database.query(SELECT, {}, function(rows)
                local citizens = {}
                for _, row in ipairs(rows or {}) do
                    citizens[#citizens + 1] = row.owner
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
                        names[row.property_name] = row.id
                        local position = Database.json(row.coords)
                        list[#list + 1] = {
                            id = row.id,
                            location = row.property_name,
                            position = position.x and position or nil,
                            owner = row.owner and users[row.owner],
                            allowed = Characters.users_of(Database.json(row.keyholders), users),
                        }
                    end
                    done(list)
                end)
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
