-- Requests to the bot, and whether it answers.

-- `problem` is why the bot takes nothing at the moment, as one line; nil if it does.
Link = { is_connected = false, problem = nil }

local VERSION = GetResourceMetadata(GetCurrentResourceName(), 'version', 0)

local FIRST_WAIT = 500
local LONGEST_WAIT = 10000
local LONGEST_ANSWER = 30000

local function set_state(state)
    if Link.state ~= state then
        Link.state = state
        GlobalState.cadSentinel = state
    end
end

local function headers(more)
    local token = Settings.token()
    local sent = {
        ['Authorization'] = token ~= '' and 'Bearer ' .. token or nil,
        ['Content-Type'] = 'application/json',
        ['X-Sentinel-Resource'] = ('cad-sentinel/%s; waiting=%d; refused=%d'):format(
            VERSION,
            Spool.waiting(),
            Spool.refused()
        ),
    }
    for name, value in pairs(more or {}) do
        sent[name] = value
    end
    return sent
end

local function decode(text)
    local done, value = pcall(json.decode, text or '')
    return done and value or nil
end

-- Why something was refused: the sentence of the bot's answer, or the whole answer; and whether it
-- was an answer as only the bot gives it.
local function problem_of(fault)
    local text = (fault or ''):gsub('^HTTP %d+: ?', ''):gsub(' %- CURL error code.*', '')
    local frame = decode(text)
    local data = type(frame) == 'table' and frame.data
    if type(data) == 'table' and data.message then
        return data.message, true
    end
    return (text:match('<title>%s*(.-)%s*</title>') or text):sub(1, 300), false
end

-- The address at which the bot has answered, and not some other server.
local bot_at

function Link.is_the_bot()
    return bot_at == Settings.url()
end

local unreached = 0 -- requests in a row that got no answer

local function note(status, problem)
    unreached = status == 0 and unreached + 1 or 0
    if unreached == 1 then
        return -- a single lost answer says nothing yet
    end
    Link.is_connected = status ~= 0 and status < 500 and status ~= 401
    set_state(Link.is_connected and 'up' or 'down')
    Link.problem = nil
    if status == 0 then
        Link.problem = Say('not_reached', Settings.url(), problem)
    elseif status == 401 and Settings.token() == '' then
        Link.problem = Say('no_token')
    elseif status == 401 then
        Link.problem = Say('unauthorized')
    elseif status == 403 then
        Link.problem = Say('forbidden', problem)
    elseif status >= 500 then
        Link.problem = Say('failing', status, problem)
    elseif status ~= 0 and not Link.is_the_bot() then
        Link.problem = Say('not_the_bot', Settings.url(), status, problem or '')
    end
end

-- FXServer waits forever for the rest of an answer that has begun, also from a machine that is gone.
local waiting = {} -- by a number: {since, finish}
local requests = 0

local function wait_for(done)
    requests = requests + 1
    local number = requests
    local function finish(status, answer, problem)
        if waiting[number] then
            waiting[number] = nil
            note(status, problem)
            done(status, answer, problem)
        end
    end
    waiting[number] = { since = GetGameTimer(), finish = finish }
    return finish
end

function Link.give_up_late_answers()
    local late = {}
    for _, request in pairs(waiting) do
        if GetGameTimer() - request.since > LONGEST_ANSWER then
            late[#late + 1] = request
        end
    end
    for _, request in ipairs(late) do
        request.finish(0, nil, Text('too_late'))
    end
    SetTimeout(LONGEST_ANSWER // 2, Link.give_up_late_answers)
end

-- Sends a request; `done(status, answer, problem)` has the decoded JSON or the text of a success.
function Link.request(method, path, body, more, done)
    local fault = Settings.problem()
    if fault then
        set_state('down')
        Link.is_connected = false
        Say('settings', fault)
        SetTimeout(0, function() done(0, nil, fault) end)
        return
    end
    local url = Settings.url()
    local finish = wait_for(done)
    PerformHttpRequest(url .. path, function(status, text, _, error_text)
        local answer, problem = decode(text), nil
        local is_the_bot = type(answer) == 'table'
        if status ~= 200 then
            problem, is_the_bot = problem_of(error_text)
        end
        if is_the_bot then
            bot_at = url
        end
        finish(status, answer or text, problem)
    end, method, body or '', headers(more), { followLocation = false })
end

-- How long to wait after so many failures in a row, in milliseconds: longer each time, and never
-- for two servers the same.
function Link.wait(failures)
    local wait = math.min(LONGEST_WAIT, FIRST_WAIT * 2 ^ math.min(failures - 1, 10))
    return math.floor(wait * (1 + math.random() / 4))
end

-- Says so if the bot is of another version.
function Link.check_version()
    Link.request('GET', '/healthz', nil, nil, function(_, health)
        if type(health) == 'table' and health.version and health.version ~= VERSION then
            print(Text('other_version', VERSION, health.version))
        end
    end)
end
