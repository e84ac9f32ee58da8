-- esx_property (facts: esx-framework/esx_property at 4fe0637). Its ids are places in a list, which move
-- up when a house is deleted, so a house is known by its name and entrance. Its menus are callbacks of
-- ESX; each is a hint to compare all houses with what they were.

Adapter('esx_property', function(adapter)
    local function all()
        return exports.esx_property:GetProperties()
    end

    local function id_of(house)
        return ('%s@%d,%d'):format(house.Name, house.Entrance.x // 1, house.Entrance.y // 1)
    end

    local houses = Houses.of(adapter, {
        seconds = 600,
        read = function(done)
            local list = {}
            for _, house in ipairs(all()) do
                local allowed = {}
                for identifier in pairs(house.Keys or {}) do
                    allowed[#allowed + 1] = Characters.of_esx(identifier)
                end
                list[#list + 1] = {
                    id = id_of(house),
                    location = house.setName ~= '' and house.setName or house.Name,
                    position = house.Entrance,
                    owner = house.Owned and Characters.of_esx(house.Owner) or nil,
                    allowed = allowed,
                }
            end
            done(list)
        end,
        stash = function(name)
            local house = all()[math.tointeger(tonumber(name:match('^property%-(%d+)$')))]
            return house and id_of(house)
        end,
    })

    adapter.watch({ 'esx:triggerServerCallback' }, function(name)
        if tostring(name):find('^esx_property:') then
            houses.refresh()
        end
    end)
    adapter.watch({ 'esx_property:server:createProperty' }, function() houses.refresh() end)

    -- The script lets in whom the player's own game lets in; who is inside without a key is a visitor.
    adapter.on_net('esx_property:enter', function(player, place)
        adapter.verify_later(500, function()
            local house = all()[place]
            local is_inside = false
            for _, one in pairs(house and house.plysinside or {}) do
                is_inside = is_inside or one == player
            end
            local entered = is_inside and houses.reported[id_of(house)]
            if not entered then
                return
            elseif houses.has_key(entered, player) then
                adapter.report('BadgeScan', {
                    property = adapter.property(entered.id),
                    user = player,
                    allowed = true,
                    method = 'key',
                })
            else
                adapter.report('Visit', { property = adapter.property(entered.id), user = player })
            end
        end)
    end)
end)
