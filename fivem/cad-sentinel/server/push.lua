-- Pushes of Sonoran CAD, taken from its own resource on this server and queued for the bot.
--
-- They come as a local event of that resource, or as requests to /cad-sentinel/push/<secret>. Whichever
-- delivers first is used; if both are set up, each push comes twice, and the other one is ignored.

Push = {}

local SHIM = 'SonoranCAD::pushevents:shim'
local SONORAN = 'sonorancad'

local function take(way, raw)
    Push.way = Push.way or way
    if Push.way ~= way then
        Say('second_way', Text(way), Text(Push.way))
        return 'ignored'
    end
    return Outbox.put({ push = Clean(raw) })
end

AddEventHandler(SHIM, function(raw)
    if type(raw) == 'string' and type(source) ~= 'number' then -- no player, only the server itself
        take('way_event', raw)
    end
end)

-- A new version of Sonoran's resource may use the other way.
AddEventHandler('onServerResourceStart', function(resource)
    if resource == SONORAN then
        Push.way = nil
    end
end)

local function answer(response, status, text)
    response.writeHead(status, { ['Content-Type'] = 'text/plain' })
    response.send(text)
end

SetHttpHandler(function(request, response)
    local secret = Settings.push_secret()
    if not secret or request.path ~= '/push/' .. secret or request.method ~= 'POST' then
        answer(response, 404, 'Not Found')
        return
    end
    request.setDataHandler(function(body)
        if type(body) ~= 'string' or body == '' then
            answer(response, 400, 'Bad Request')
            return
        end
        local key, why = take('way_http', body)
        answer(response, key and 200 or 503, key and 'OK' or why)
    end)
end)
