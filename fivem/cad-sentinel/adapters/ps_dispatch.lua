-- ps-dispatch (facts: Project-Sloth/ps-dispatch at 6398eee). Its alerts come from players' games; one
-- counts if it is in the list that the police see. Config.adapters['ps-dispatch'].codes says which
-- alerts are reported; without it only robbed houses are.

Adapter('ps-dispatch', function(adapter)
    local codes = adapter.config.codes or { 'houserobbery' }
    local is_reported = {}
    for _, code in ipairs(codes) do
        is_reported[code] = true
    end

    adapter.on_net('ps-dispatch:server:notify', function(player, alert)
        local position = adapter.position(player)
        if type(alert) ~= 'table' or not position or not is_reported[alert.codeName] then
            return
        end
        adapter.verify_later(250, function()
            for _, call in pairs(exports['ps-dispatch']:GetDispatchCalls()) do
                if call.codeName == alert.codeName and call.message == alert.message then
                    local text = ('%s %s'):format(tostring(call.message), tostring(call.street or ''))
                    Houses.break_in(adapter, position, text:sub(1, 200))
                    return
                end
            end
        end)
    end)
end)
