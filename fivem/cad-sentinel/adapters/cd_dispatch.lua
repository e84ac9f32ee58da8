-- cd_dispatch (closed; its server event is known from the many scripts that call it). It keeps no list
-- to look into, so an alert counts if whoever sends it stands where it says.

local AT_THE_PLACE = 200 -- metres

Adapter('cd_dispatch', function(adapter)
    adapter.on_net('cd_dispatch:AddNotification', function(player, alert)
        local position = adapter.position(player)
        local coords = type(alert) == 'table' and alert.coords
        local is_there, away = pcall(function()
            return math.sqrt((coords.x - position.x) ^ 2 + (coords.y - position.y) ^ 2)
        end)
        if is_there and away <= AT_THE_PLACE then
            local text = ('%s %s'):format(tostring(alert.title or ''), tostring(alert.message or ''))
            Houses.break_in(adapter, position, text:sub(1, 200))
        end
    end)
end)
