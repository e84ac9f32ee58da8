-- Last of all files: everything is there.

Spool.open()
local fault = Settings.problem()
if fault then
    print('^1' .. Text('settings', fault) .. '^7')
end
Adapters.start()
Outbox.wake()
Events.poll()
if Config.check_version then
    Link.check_version()
end
