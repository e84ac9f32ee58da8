-- What the bot asks of the CAD, if it has no API key of its own: Sonoran's resource on this server
-- does it, or a script of yours.
--
-- A request is carried out once it is here. Its answer is sent until the bot has it; the bot knows by
-- `workingOn` which requests have got here.

local SONORAN = 'sonorancad'
local WAIT = 4 -- seconds: FXServer gives a request up that has had no answer for five
local LATER = 10000 -- milliseconds until it is looked again whether we are needed

local GIVEN_UP = 120000 -- milliseconds after which the bot does not wait for an answer any more

local session = ('%08x%08x'):format(math.random(0, 0x7fffffff), os.time())
local working_on = {} -- by id: {since, answer, is_lost}, until the bot has the answer
local failures = 0

local function without_call(body)
    local rest = {}
    for name, value in pairs(body) do
        if name ~= 'callId' then
            rest[name] = value
        end
    end
    return rest
end

local CALLS = {
    ['panic'] = function(cad, body) return cad:setUnitPanicV2(body) end,
    ['attach'] = function(cad, body)
        return cad:attachUnitsToDispatchCallV2(body.callId, without_call(body))
    end,
    ['detach'] = function(cad, body) return cad:detachUnitsFromDispatchCallV2(body) end,
    ['close'] = function(cad, body) return cad:closeDispatchCallsV2(body.callIds) end,
    ['note'] = function(cad, body) return cad:addDispatchNoteV2(body.callId, without_call(body)) end,
    ['status'] = function(cad, body) return cad:setUnitStatusV2(body) end,
    ['remove-911'] = function(cad, body) return cad:deleteEmergencyCallV2(body.callId) end,
    ['create-911'] = function(cad, body) return cad:createEmergencyCallV2(body) end,
    ['create-dispatch'] = function(cad, body) return cad:createDispatchCallV2(body) end,
    ['calls'] = function(cad, body) return cad:getCallsV2(body) end,
    ['units'] = function(cad, body) return cad:getUnitsV2(body) end,
    ['account'] = function(cad, body) return cad:getAccountV2(body) end,
    ['account-units'] = function(cad, body)
        return cad:getAccountUnitsV2({ accountUuid = body.uuid })
    end,
    ['version'] = function(cad) return cad:getVersionV2() end,
}

local known -- Sonoran's client, until its resource is started anew

-- Returns Sonoran's client; nil without that resource, or with one of its versions that has none.
local function client()
    if GetResourceState(SONORAN) ~= 'started' then
        return nil
    end
    if not known then
        local is_there, cad = pcall(function() return exports[SONORAN]:getCadClient() end)
        known = is_there and type(cad) == 'table' and cad or nil
    end
    return known
end

for _, event in ipairs({ 'onServerResourceStart', 'onServerResourceStop' }) do
    AddEventHandler(event, function(resource)
        if resource == SONORAN then
            known = nil
        end
    end)
end

local function is_by_script()
    return Config.cad_requests == 'event'
end

-- Who does what is asked of the CAD: 'script', 'sonoran', 'bot' (it has a key), or 'nobody'.
Cad = { way = 'nobody' }

local function find_way()
    if Config.cad_requests == false then
        return 'nobody'
    elseif is_by_script() then
        return 'script'
    end
    return client() and 'sonoran' or 'nobody'
end

local function ask_bot(body, done)
    body.session = session
    body.cad = Settings.cad()
    Link.request('POST', '/api/cad-requests', json.encode(body), nil, done)
end

-- Returns the answers that did not get to the bot, and the numbers of all requests that got here.
local function unfinished()
    local answers, ids = {}, {}
    for id, request in pairs(working_on) do
        if GetGameTimer() - request.since > GIVEN_UP then
            working_on[id] = nil
        else
            ids[#ids + 1] = id
            answers[#answers + 1] = request.is_lost and request.answer or nil
        end
    end
    return answers, ids
end

-- The bot does not take an answer; it is told only that there was one.
local function shorten(answers)
    for _, answer in ipairs(answers) do
        if working_on[answer.id] then
            working_on[answer.id].answer = { id = answer.id, error = 'too long' }
        end
    end
end

local function is_too_long(status)
    return status == 400 or status == 413
end

local function forget(answers)
    for _, answer in ipairs(answers) do
        working_on[answer.id] = nil
    end
end

-- Tells the bot what came of a request; if that fails, the next poll tells it again.
local function report(id, answer)
    local request = working_on[id]
    if not request or request.answer then
        return
    end
    request.answer = Clean(answer) or { error = 'no JSON' }
    request.answer.id = id
    ask_bot({ answers = { request.answer } }, function(status)
        if status == 200 then
            forget({ request.answer })
            return
        end
        request.is_lost = true
        if is_too_long(status) then
            shorten({ request.answer })
        end
    end)
end

local function report_result(id, result)
    if type(result) == 'table' then
        report(id, { success = result.success == true, data = result.data, reason = result.reason })
    else
        report(id, { error = 'no answer' })
    end
end

local function carry_out(request)
    local id = request.id
    working_on[id] = { since = GetGameTimer() }
    if is_by_script() then
        TriggerEvent('cad-sentinel:cad-request', request, function(result)
            report_result(id, result)
        end)
        return
    end
    SetTimeout(0, function() -- it waits for the CAD
        local done, result = pcall(function()
            return CALLS[request.kind](client(), request.body)
        end)
        if done then
            report_result(id, result)
        else
            report(id, { error = tostring(result) })
        end
    end)
end

-- Claims requests, again and again.
function Cad.poll()
    Cad.way = find_way()
    if Cad.way == 'nobody' then
        SetTimeout(LATER, Cad.poll)
        return
    end
    local answers, ids = unfinished()
    local poll = { wait = WAIT, workingOn = ids, answers = answers }
    ask_bot(poll, function(status, page)
        if status ~= 200 or type(page) ~= 'table' then
            failures = failures + 1
            if is_too_long(status) then
                shorten(answers)
            end
            local is_refused = status >= 400 and status < 500 -- by an older bot, or for the token
            SetTimeout(is_refused and LATER or Link.wait(failures), Cad.poll)
            return
        end
        failures = 0
        forget(answers)
        if not page.isWanted then
            Cad.way = 'bot'
            SetTimeout(LATER, Cad.poll)
            return
        end
        for _, request in ipairs(page.requests) do
            carry_out(request)
        end
        SetTimeout(0, Cad.poll)
    end)
end
