-- The database of the server's scripts, through oxmysql.

Database = {}

-- Runs a query: `done(rows)`, or `done(nil)` if there is no database.
function Database.query(sql, parameters, done)
    local is_asked = GetResourceState('oxmysql') == 'started'
        and pcall(function()
            exports.oxmysql:query(sql, parameters, function(rows) done(rows or nil) end)
        end)
    if not is_asked then
        done(nil)
    end
end

-- Decodes a column of JSON; an empty table for anything else.
function Database.json(text)
    local is_decoded, value = pcall(json.decode, text or '')
    return is_decoded and type(value) == 'table' and value or {}
end
