-- Players on this server, as the bot knows them: by their license, never by a name.

Players = {}

local MOST_DIGITS = 5 -- a player's number; ids of Discord have more

-- Returns the user id of a player's number, or of one that is a user id already; or nil and why.
function Players.user(user)
    if type(user) == 'number' then
        user = math.tointeger(user) or ''
    end
    local text = tostring(user or '')
    if type(user) == 'number' or (text:find('^%d+$') and #text <= MOST_DIGITS) then
        local license = GetPlayerIdentifierByType(user, 'license')
        if not license then
            return nil, Text('no_license', text)
        end
        return license
    elseif type(user) ~= 'string' or text == '' then
        return nil, Text('no_user')
    end
    return text
end

-- Where a player is, from the server's own data (OneSync); nil without a character.
function Players.position(player)
    local ped = GetPlayerPed(player)
    if ped and ped ~= 0 then
        return GetEntityCoords(ped)
    end
end

-- Returns a function that says whether a player may do something now: once in so many milliseconds.
function Players.limiter(milliseconds)
    local done_at = {}
    AddEventHandler('playerDropped', function() done_at[source] = nil end)
    return function(player)
        local now = GetGameTimer()
        if done_at[player] and now - done_at[player] < milliseconds then
            return false
        end
        done_at[player] = now
        return true
    end
end
