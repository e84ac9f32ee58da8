-- What Sonoran's own resource offers other resources, as far as cad-sentinel uses it. The convars
-- `cad_url` and `cad_key` say which CAD it asks. Of a fault it returns the text of the body, as
-- problem+json is not JSON to it; of none at all, nil.

local SERVER = '/v2/emergency/servers/1'

local function request(method, path, body, query)
    local url = GetConvar('cad_url', '') .. path
    local first = true
    for name, value in pairs(query or {}) do
        url = url .. (first and '?' or '&') .. name .. '=' .. tostring(value)
        first = false
    end
    if GetConvar('cad_key', '') == '' then
        error('apiKey is required for authenticated requests.')
    end
    local status, text, _, fault = PerformHttpRequestAwait(
        url, method, body and json.encode(body) or '', {
            ['Authorization'] = 'Bearer ' .. GetConvar('cad_key', ''),
            ['Content-Type'] = body and 'application/json' or nil,
        }
    )
    if status >= 200 and status < 300 then
        return { success = true, data = text ~= '' and json.decode(text) or nil }
    end
    return { success = false, reason = (fault or ''):match('^HTTP %d+: (.+)$') }
end

local cad = { __sonoranNamespace = true }

local function offer(name, fn)
    cad[name] = function(first, ...)
        assert(first.__sonoranNamespace, 'called without its namespace')
        return fn(...)
    end
end

offer('setUnitPanicV2', function(data) return request('PATCH', SERVER .. '/units/panic', data) end)
offer('setUnitStatusV2', function(data) return request('PATCH', SERVER .. '/units/status', data) end)
offer('attachUnitsToDispatchCallV2', function(call, data)
    return request('POST', ('%s/dispatch-calls/%d/attachments'):format(SERVER, call), data)
end)
offer('detachUnitsFromDispatchCallV2', function(data)
    return request('DELETE', SERVER .. '/dispatch-calls/attachments', data)
end)
offer('closeDispatchCallsV2', function(calls)
    return request('POST', SERVER .. '/dispatch-calls/close', { callIds = calls })
end)
offer('addDispatchNoteV2', function(call, data)
    return request('POST', ('%s/dispatch-calls/%d/notes'):format(SERVER, call), data)
end)
offer('createDispatchCallV2', function(data)
    return request('POST', SERVER .. '/dispatch-calls', data)
end)
offer('createEmergencyCallV2', function(data) return request('POST', SERVER .. '/calls/911', data) end)
offer('deleteEmergencyCallV2', function(call)
    return request('DELETE', ('%s/calls/911/%d'):format(SERVER, call))
end)
offer('getCallsV2', function() return request('GET', SERVER .. '/calls') end)
offer('getUnitsV2', function() return request('GET', SERVER .. '/units') end)
offer('getAccountV2', function(query)
    return request('GET', '/v2/general/accounts/account', nil, query)
end)
offer('getAccountUnitsV2', function(data)
    return request('GET', ('%s/accounts/%s/units'):format(SERVER, data.accountUuid))
end)
offer('getVersionV2', function() return request('GET', '/v2/general/version') end)

exports('getCadClient', function() return cad end)
