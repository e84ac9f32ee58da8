-- ps-housing (facts: Project-Sloth/ps-housing at 8e5eaa9).

local RAID_CHECKS = { 1000, 5000, 15000, 30000 } -- an officer has to confirm it first
local SALE_CHECKS = { 15000, 60000 } -- a buyer has to confirm it first

Adapter('ps-housing', function(adapter)
    local function all()
        return exports['ps-housing']:GetProperties()
    end

    local function position_of(id, data)
        local door = data.door_data or {}
        if door.x then
            return door
        end
        -- An open interior has its doors in another resource.
        local is_found, main = pcall(function() return exports['ps-housing']:getMainDoor(id, 1) end)
        return is_found and type(main) == 'table' and main.coords or nil
    end

    local function location_of(id, data)
        return ('%s %s'):format(data.street or data.apartment or 'ps-housing', id)
    end

    local houses = Houses.of(adapter, {
        seconds = 600,
        read = function(done)
            local list = {}
            for id, property in pairs(all()) do
                local data = property.propertyData
                list[#list + 1] = {
                    id = id,
                    location = location_of(id, data),
                    position = position_of(id, data),
                    citizen = data.owner,
                    citizens = data.has_access or {},
                }
            end
            Characters.move_in(list, done)
        end,
        stash = function(name) return name:match('^property_(%d+)') end,
    })

    adapter.on('ps-housing:server:registerProperty', function() houses.refresh() end)
    adapter.on('ps-housing:server:updateProperty', function(kind)
        houses.refresh()
        if kind == 'UpdateOwner' then
            for _, milliseconds in ipairs(SALE_CHECKS) do
                houses.refresh(milliseconds)
            end
        end
    end)
    adapter.watch({
        'ps-housing:server:createNewApartment',
        'ps-housing:server:addAccess',
        'ps-housing:server:removeAccess',
    }, function() houses.refresh() end)

    adapter.on_net('ps-housing:server:enterProperty', function(player, id)
        houses.scan(player, id)
    end)

    adapter.on_net('ps-housing:server:doorbellAnswer', function(_, data)
        if type(data) ~= 'table' then
            return
        end
        local id, guest = tostring(data.property_id), data.targetSrc
        adapter.verify_later(1000, function()
            local property = all()[id]
            if property and property.playersInside[tostring(guest)] then
                adapter.report('Visit', { property = adapter.property(id), user = guest })
            end
        end)
    end)

    adapter.on_net('ps-housing:server:raidProperty', function(player, id)
        id = tostring(id)
        if not houses.at(player, id) or not Characters.is_police(player) then
            return
        end
        local is_reported = false
        for _, milliseconds in ipairs(RAID_CHECKS) do
            adapter.verify_later(milliseconds, function()
                local property = not is_reported and all()[id]
                if property and property.raiding then
                    is_reported = true
                    houses.report_raid(player, id)
                end
            end)
        end
    end)
end)
