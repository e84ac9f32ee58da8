fx_version 'cerulean'
game 'common'
lua54 'yes'
server_only 'yes'

name 'cad-sentinel'
description 'Brings what happens in the game to CAD Sentinel, and loses nothing on the way'
version '0.1.0'
license 'MIT'

server_scripts {
    'config.lua',
    'server/natives.lua',
    'server/text.lua',
    'server/clean.lua',
    'server/settings.lua',
    'server/spool.lua',
    'server/link.lua',
    'server/outbox.lua',
    'server/events.lua',
    'server/push.lua',
    'server/cad.lua',
    'server/players.lua',
    'server/api.lua',
    'server/commands.lua',
    'adapters/lib/adapter.lua',
    'adapters/lib/database.lua',
    'adapters/lib/characters.lua',
    'adapters/lib/houses.lua',
    'adapters/*.lua',
    'server/start.lua',
}
