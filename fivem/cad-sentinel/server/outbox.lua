-- Sends what waits, in order and one request at a time; a message is deleted once the bot has answered
-- it.

Outbox = {}

local MOST = 100 -- messages of a batch, as the bot allows
local MOST_BYTES = 1024 * 1024

-- After any other status the same message is sent again, with the same key. None is final while
-- some other server answers at the bot's address.
local FINAL = { [200] = true, [400] = true, [403] = true, [404] = true, [409] = true,
    [413] = true, [415] = true, [422] = true }

-- The bot fails at a message: by a mistake of its own, so that it may fail each time. It is given up
-- after so many tries in so long a time, unless the bot fails at everything. What other failures say is
-- "not now" (0, 401, 429, 502 to 504): nothing is ever given up for them.
local INTERNAL = 500
local LEAST_TRIES = 10
local LEAST_TIME = 30000 -- milliseconds
local FEW = 10 -- messages that may all be at fault

local state = 'idle' -- or 'sending', or 'waiting' after a failure
local failures = 0
local most = MOST -- less after a failure: a bot that is slow answers fewer messages in time
local sends_alone = false -- the next message: the batch before was refused as a whole
local failed = {} -- the messages at which the bot fails, by key: {tries, since}
local has_success = false -- at others since then

local function is_final(status)
    return FINAL[status] and Link.is_the_bot()
end

-- Whether the bot fails at some messages only, so that others need not wait for them.
local function fails_at_few()
    return next(failed) ~= nil and (has_success or Spool.waiting() <= FEW)
end

local function is_given_up(message, status)
    if status ~= INTERNAL or not Link.is_the_bot() then
        return false
    elseif not next(failed) then
        has_success = false
    end
    local this = failed[message.key] or { tries = 0, since = GetGameTimer() }
    failed[message.key] = this
    this.tries = this.tries + 1
    local is_long = this.tries >= LEAST_TRIES and GetGameTimer() - this.since >= LEAST_TIME
    return is_long and fails_at_few()
end

-- Takes a message out of what waits, if the bot has answered it for good; returns whether it has.
local function finish(message, status, problem)
    if not is_final(status) and not is_given_up(message, status) then
        return false
    end
    failed[message.key] = nil
    if status == 200 then
        has_success = true
        Spool.remove(message)
    else
        print(Text('refused', message.type or 'push', message.key, status, problem))
        Spool.refuse(message, status, problem)
    end
    return true
end

local function try_later()
    state, failures = 'waiting', failures + 1
    local round = failures
    SetTimeout(Link.wait(failures), function()
        if state == 'waiting' and failures == round then
            Outbox.retry()
        end
    end)
end

local function go_on(is_success)
    if is_success then
        state, failures, most = 'idle', 0, math.min(MOST, most * 2)
        Outbox.wake()
    else
        most = math.max(1, most // 2)
        try_later()
    end
end

local function send_one(message)
    local path, body = '/api/query', nil
    if message.push then
        path, body = '/sonorancad/event', message.push
    else
        body = json.encode({ type = message.type, data = message.data })
    end
    local more = {
        ['Idempotency-Key'] = message.key,
        ['X-Event-Age'] = ('%.3f'):format(Spool.age(message)),
    }
    Link.request('POST', path, body, more, function(status, _, problem)
        sends_alone = false
        go_on(finish(message, status, problem))
    end)
end

-- Why a message of a batch was refused.
local function problem_in(answer)
    local data = type(answer.frame) == 'table' and answer.frame.data
    return type(data) == 'table' and data.message or answer.text or ''
end

local function send_batch(messages)
    local sent = {}
    for place, message in ipairs(messages) do
        sent[place] = {
            key = message.key,
            age = Spool.age(message),
            type = message.type,
            data = message.data,
            push = message.push,
        }
    end
    local body = json.encode({ messages = sent })
    Link.request('POST', '/api/batch', body, nil, function(status, answer)
        local answers = status == 200 and type(answer) == 'table' and answer.answers
        if type(answers) ~= 'table' then
            sends_alone = is_final(status)
            go_on(sends_alone)
            return
        end
        local is_whole = true
        for place, message in ipairs(messages) do
            local of_it = answers[place]
            local is_answer = type(of_it) == 'table'
            if not is_answer or not finish(message, of_it.status, problem_in(of_it)) then
                is_whole = false
            end
        end
        if is_whole then
            go_on(true)
        else
            try_later()
        end
    end)
end

local function send()
    local messages = Spool.oldest(sends_alone and 1 or most, MOST_BYTES)
    if #messages == 0 then
        state = 'idle'
    elseif #messages == 1 then
        send_one(messages[1])
    else
        send_batch(messages)
    end
end

-- Sends what waits, unless that is under way or has just failed.
function Outbox.wake()
    if state == 'idle' and Spool.waiting() > 0 then
        state = 'sending'
        send()
    end
end

-- Stores a message and sends it as soon as those before it are sent. Returns its key, or nil and
-- why it could not be stored.
function Outbox.put(message)
    if Spool.waiting() == 0 then
        failed = {} -- those that were thrown away, too
    end
    local key, why = Spool.put(message)
    if not key then
        return nil, why
    end
    if fails_at_few() then
        Outbox.retry()
    else
        Outbox.wake()
    end
    return key
end

-- Sends what waits now, also if it has just failed.
function Outbox.retry()
    if state == 'waiting' then
        state = 'idle'
    end
    Outbox.wake()
end
