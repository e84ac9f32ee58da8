-- What some servers lack, and what does in its place.

Config = type(Config) == 'table' and Config or {} -- a mistake in config.lua: the console has it
GlobalState = GlobalState or {}
SetResourceKvpNoSync = SetResourceKvpNoSync or SetResourceKvp
DeleteResourceKvpNoSync = DeleteResourceKvpNoSync or DeleteResourceKvp
GetResourceMetadata = GetResourceMetadata or function() return 'unknown' end
GetPlayers = GetPlayers or function() return {} end
SetHttpHandler = SetHttpHandler or function() end

GetPlayerIdentifierByType = GetPlayerIdentifierByType or function(player, kind)
    for _, identifier in ipairs(GetPlayerIdentifiers(player) or {}) do
        if identifier:sub(1, #kind + 1) == kind .. ':' then
            return identifier
        end
    end
end
