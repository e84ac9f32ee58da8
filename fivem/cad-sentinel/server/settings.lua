-- The convars. They are read anew for each request, so a corrected one needs no restart.

Settings = {}

local SHORTEST_SECRET = 16

-- Without blanks and quotation marks around it, which a copied one may have.
local function read(convar, default)
    return GetConvar(convar, default):match('^[%s"\']*(.-)[%s"\']*$')
end

function Settings.url()
    return (read('cad_sentinel_url', 'http://127.0.0.1:30150'):gsub('/+$', ''))
end

function Settings.token()
    return read('cad_sentinel_token', '')
end

-- The name of this server's CAD in the bot's config.toml; blank if there is only one.
function Settings.cad()
    return read('cad_sentinel_cad', '')
end

-- The secret of the path for pushes; nil if there is none, or none that can be trusted.
function Settings.push_secret()
    local secret = GetConvar('cad_sentinel_push_secret', '')
    if #secret >= SHORTEST_SECRET and not secret:find('[^%w_-]') then
        return secret
    end
end

local function is_on_this_machine(url)
    local host = url:match('^https?://%[?([^/%]:]*)')
    return host == 'localhost' or host == '127.0.0.1'
end

-- What is wrong with the secret for pushes, as one line; nil if nothing is.
function Settings.push_problem()
    if GetConvar('cad_sentinel_push_secret', '') ~= '' and not Settings.push_secret() then
        return Text('bad_secret', SHORTEST_SECRET)
    end
end

-- Why no request can be sent, as one line; nil if it can.
function Settings.problem()
    local url, token = Settings.url(), Settings.token()
    if not url:find('^https?://[^%s/?#@]+$') then
        return Text('bad_url', url)
    elseif token:find('[^\33-\126]') then
        return Text('bad_token')
    elseif token == '' and not is_on_this_machine(url) then
        return Text('no_token')
    end
end
