-- Characters of the frameworks: QBCore and Qbox name them by a citizen id, ESX by an identifier. The
-- bot knows the player behind them, by license.

Characters = {}

local users = {} -- user ids by citizen id
local core -- QBCore's functions, which become invalid when it stops

AddEventHandler('onServerResourceStop', function(resource)
    if resource == 'qb-core' then
        core = nil
    end
end)

-- Returns what a call of another resource returns; nil if that has no such function, or it fails.
local function ask(fn)
    local is_done, value = pcall(fn)
    return is_done and value or nil
end

local function online(player)
    if GetResourceState('qbx_core') == 'started' then
        return ask(function() return exports.qbx_core:GetPlayer(player) end)
    elseif GetResourceState('qb-core') == 'started' then
        core = core or ask(function() return exports['qb-core']:GetCoreObject().Functions end)
        return core and ask(function() return core.GetPlayer(player) end)
    end
end

-- Whether a player is a police officer on duty.
function Characters.is_police(player)
    local character = online(player)
    local job = character and character.PlayerData and character.PlayerData.job
    return job ~= nil and job.onduty == true and (job.type == 'leo' or job.name == 'police')
end

-- The number of the player who plays a citizen of Qbox; nil if nobody does.
function Characters.player_of(citizen)
    local character = ask(function() return exports.qbx_core:GetPlayerByCitizenId(citizen) end)
    return character and character.PlayerData and character.PlayerData.source
end

-- The user id of a stored license. Qbox stores `license2:`; the `license:` that belongs to it is only
-- known for players who have been here since this resource was installed.
local function user_of(stored)
    if not tostring(stored):find('^license2:') then
        return stored
    end
    for _, player in ipairs(GetPlayers()) do
        if GetPlayerIdentifierByType(player, 'license2') == stored then
            local license = GetPlayerIdentifierByType(player, 'license')
            SetResourceKvpNoSync('l:' .. stored, license)
            return license
        end
    end
    return GetResourceKvpString('l:' .. stored) or stored
end

-- Finds the user ids of citizen ids, also of players who are offline: `done(users)` gets them by
-- citizen id, without those that do not exist, or nil if the database cannot be read.
function Characters.find(citizens, done)
    local found, unknown, marks = {}, {}, {}
    for _, citizen in ipairs(citizens) do
        found[citizen] = users[citizen]
        if not found[citizen] then
            unknown[#unknown + 1], marks[#marks + 1] = citizen, '?'
        end
    end
    if #unknown == 0 then
        done(found)
        return
    end
    local sql = 'SELECT citizenid, license FROM players WHERE citizenid IN (%s)'
    Database.query(sql:format(table.concat(marks, ',')), unknown, function(rows)
        if not rows then
            done(nil)
            return
        end
        for _, row in ipairs(rows) do
            found[row.citizenid] = user_of(row.license)
            if not tostring(found[row.citizenid]):find('^license2:') then
                users[row.citizenid] = found[row.citizenid] -- final
            end
        end
        done(found)
    end)
end

-- Puts user ids into houses: `citizen` becomes the owner and `citizens` become those who are allowed;
-- then `done(houses)`, or `done(nil)` if there are no houses or the database cannot be read.
function Characters.move_in(houses, done)
    local citizens = {}
    for _, house in ipairs(houses or {}) do
        citizens[#citizens + 1] = house.citizen
        for _, citizen in pairs(house.citizens) do
            citizens[#citizens + 1] = citizen
        end
    end
    Characters.find(citizens, function(found)
        for _, house in ipairs(found and houses or {}) do
            house.owner = house.owner or found[house.citizen]
            house.allowed = {}
            for _, citizen in pairs(house.citizens) do
                house.allowed[#house.allowed + 1] = found[citizen]
            end
        end
        done(found and houses)
    end)
end

-- The user id of an identifier of ESX: license:…, char1:… before the same without its kind, or
-- steam:… and others as they are; nil for the empty one of what nobody owns.
function Characters.of_esx(identifier)
    local text = tostring(identifier or ''):gsub('^char%d+:', '')
    if text == '' then
        return nil
    elseif text:find(':', 1, true) then
        return text
    end
    return 'license:' .. text
end
