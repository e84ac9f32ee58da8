PRAGMA foreign_keys = OFF;
CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "settings" VALUES ('board.changed','1795339868123');
INSERT INTO "settings" VALUES ('colour','blue');
INSERT INTO "settings" VALUES ('daily.messages','0');
INSERT INTO "settings" VALUES ('daily.problems','0');
INSERT INTO "settings" VALUES ('daily.told','2026-11-22 2026-11-23');
INSERT INTO "settings" VALUES ('discord.cursor','84');
CREATE TABLE journal (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    name TEXT NOT NULL,
    subjects TEXT NOT NULL DEFAULT '[]',
    data TEXT NOT NULL,
    published INTEGER NOT NULL DEFAULT 1
) STRICT;
INSERT INTO "journal" VALUES (1,1795339801123,'cad.EVENT_UNIT_LOGIN','["unit:61@county"]','{"unit":{"id":61,"unitNum":"7K-22","name":"M. Okafor","department":"BCSO","subdivision":"K9","rank":"Deputy II","group":"North","status":"AVAILABLE","statusCode":2,"isPanic":false,"isDispatch":false,"location":"Paleto Blvd"},"isDispatch":false,"selfDispatch":false}',1);
INSERT INTO "journal" VALUES (2,1795339802123,'cad.EVENT_UNIT_LOGIN','["unit:74@county"]','{"unit":{"id":74,"unitNum":"7K-30","name":"R. Pike","status":"AVAILABLE","statusCode":2,"isPanic":false,"isDispatch":true,"location":"Paleto Blvd"},"isDispatch":true,"selfDispatch":false}',1);
INSERT INTO "journal" VALUES (3,1795339803123,'cad.EVENT_UNIT_STATUS','["unit:61@county","unit:74@county"]','{"idents":[61,74],"status":"STAGING","statusCode":null,"units":[]}',1);
INSERT INTO "journal" VALUES (4,1795339804123,'cad.EVENT_UNIT_UPDATE','["unit:61@county"]','{"units":[{"id":61,"unitNum":"7K-22","name":"M. Okafor","department":"BCSO","subdivision":"K9","rank":"Deputy II","group":"North","status":"AVAILABLE","statusCode":2,"isPanic":false,"location":"Paleto Blvd"}]}',1);
INSERT INTO "journal" VALUES (5,1795339805123,'cad.EVENT_UNIT_GROUP_ADD','["unit:61@county"]','{"idents":[61],"groupName":"Engine 9"}',1);
INSERT INTO "journal" VALUES (6,1795339806123,'cad.EVENT_UNIT_GROUP_REMOVE','["unit:61@county"]','{"idents":[61],"groupName":"Engine 9"}',1);
INSERT INTO "journal" VALUES (7,1795339807123,'cad.EVENT_UNIT_GROUP_CHANGE_NAME','[]','{"idents":[],"oldName":"Engine 9","newName":"Ladder 9"}',1);
INSERT INTO "journal" VALUES (8,1795339808123,'cad.EVENT_DISPATCH_TOGGLE_BODYCAM','["unit:61@county"]','{"idents":[61],"state":true}',1);
INSERT INTO "journal" VALUES (9,1795339809123,'cad.EVENT_911','["emergency:1@county"]','{"metaData":{"postal":"8031"},"callId":1,"isEmergency":true,"caller":"Wren Halloway","location":"[8031] Forum Dr","description":"Smoke from the roof.","postal":"8031","coordinates":null,"identities":[],"updated":""}',1);
INSERT INTO "journal" VALUES (10,1795339810123,'cad.EVENT_911','["emergency:2@county"]','{"metaData":{"postal":"8031"},"callId":2,"isEmergency":true,"caller":"Wren Halloway","location":"[8031] Forum Dr","description":"Smoke from the roof.","postal":"8031","coordinates":null,"identities":[],"updated":""}',1);
INSERT INTO "journal" VALUES (11,1795339811123,'cad.EVENT_911','["emergency:3@county"]','{"metaData":{"postal":"8031"},"callId":3,"isEmergency":false,"caller":"Wren Halloway","location":"[8031] Forum Dr","description":"Smoke from the roof.","postal":"8031","coordinates":null,"identities":[],"updated":""}',1);
INSERT INTO "journal" VALUES (12,1795339812123,'cad.EVENT_REMOVE_911','["emergency:2@county"]','{"callIds":[2]}',1);
INSERT INTO "journal" VALUES (13,1795339813123,'cad.EVENT_DISPATCH_NEW','["dispatch:10@county"]','{"metaData":{},"callId":10,"eventOriginIdent":null,"origin":"","status":"ACTIVE","priority":1,"block":"30","address":"Forum Dr","postal":"8031","title":"Structure fire","code":"10-70","description":"Flames visible.","notes":[],"idents":[61],"primary":61,"trackPrimary":false,"origin911":null,"coordinates":null,"template":{},"values":{},"statusId":"","updated":""}',1);
INSERT INTO "journal" VALUES (14,1795339814123,'cad.EVENT_DISPATCH_NEW','["dispatch:11@county"]','{"metaData":{},"callId":11,"eventOriginIdent":null,"origin":"","status":"ACTIVE","priority":1,"block":"30","address":"Forum Dr","postal":"8031","title":"Structure fire","code":"10-70","description":"Flames visible.","notes":[],"idents":[61],"primary":61,"trackPrimary":false,"origin911":null,"coordinates":null,"template":{},"values":{},"statusId":"","updated":""}',1);
INSERT INTO "journal" VALUES (15,1795339815123,'cad.EVENT_DISPATCH_EDIT','["dispatch:10@county","emergency:1@county"]','{"metaData":{"origin911":"1"},"callId":10,"eventOriginIdent":null,"title":"Laundromat fire","origin911":1,"present":["title","metaData","origin911"]}',1);
INSERT INTO "journal" VALUES (16,1795339816123,'cad.EVENT_DISPATCH_UNIT_ATTACH','["dispatch:10@county"]','{"callId":10,"idents":[61,74,99],"eventOriginIdent":null}',1);
INSERT INTO "journal" VALUES (17,1795339817123,'cad.EVENT_DISPATCH_UNIT_DETACH','["dispatch:10@county"]','{"callId":10,"idents":[99],"eventOriginIdent":null}',1);
INSERT INTO "journal" VALUES (18,1795339818123,'cad.EVENT_DISPATCH_NOTE','["dispatch:10@county"]','{"callId":10,"note":{"time":"21:14","label":"7K-22","type":"text","content":"Note 1"}}',1);
INSERT INTO "journal" VALUES (19,1795339819123,'cad.EVENT_DISPATCH_NOTE','["dispatch:10@county"]','{"callId":10,"note":{"time":"21:14","label":"7K-22","type":"text","content":"Note 2"}}',1);
INSERT INTO "journal" VALUES (20,1795339820123,'cad.EVENT_DISPATCH_NOTE','["dispatch:10@county"]','{"callId":10,"note":{"time":"21:14","label":"7K-22","type":"text","content":"Note 3"}}',1);
INSERT INTO "journal" VALUES (21,1795339821123,'cad.EVENT_DISPATCH_NOTE','["dispatch:10@county"]','{"callId":10,"note":{"time":"21:14","label":"7K-22","type":"text","content":"Note 4"}}',1);
INSERT INTO "journal" VALUES (22,1795339822123,'cad.EVENT_DISPATCH_NOTE','["dispatch:10@county"]','{"callId":10,"note":{"time":"21:14","label":"7K-22","type":"text","content":"Note 5"}}',1);
INSERT INTO "journal" VALUES (23,1795339823123,'cad.EVENT_DISPATCH_NOTE','["dispatch:10@county"]','{"callId":10,"note":{"time":"21:14","label":"7K-22","type":"text","content":"Note 6"}}',1);
INSERT INTO "journal" VALUES (24,1795339824123,'cad.EVENT_DISPATCH_CLOSED','["dispatch:11@county"]','{"callIds":[11],"eventOriginIdent":null}',1);
INSERT INTO "journal" VALUES (25,1795339825123,'cad.EVENT_UNIT_PANIC','["panic:1"]','{"idents":[61,74],"isPanic":true}',1);
INSERT INTO "journal" VALUES (26,1795339826123,'cad.EVENT_UNIT_PANIC','["panic:1"]','{"idents":[61],"isPanic":false}',1);
INSERT INTO "journal" VALUES (27,1795339827123,'cad.EVENT_RECORD_ADD','[]','{"record":{"id":3391,"recordTypeId":3,"type":3,"kind":"BOLO","syncId":"","name":"BOLO","status":"46EEK","first":"46EEK","last":"46EEK","plate":"46EEK","flags":["ARMED"],"fields":[{"uid":"plate","label":"Plate","type":"input","value":"46EEK","section":"Vehicle"},{"uid":"first","label":"Plate","type":"input","value":"46EEK","section":"Vehicle"},{"uid":"last","label":"Plate","type":"input","value":"46EEK","section":"Vehicle"},{"uid":"status","label":"Plate","type":"input","value":"46EEK","section":"Vehicle"}]}}',1);
INSERT INTO "journal" VALUES (28,1795339828123,'cad.EVENT_RECORD_EDIT','[]','{"record":{"id":3391,"recordTypeId":3,"type":3,"kind":"BOLO","syncId":"","name":"BOLO","status":"46EEK","first":"46EEK","last":"46EEK","plate":"46EEK","flags":["ARMED"],"fields":[{"uid":"plate","label":"Plate","type":"input","value":"46EEK","section":"Vehicle"},{"uid":"first","label":"Plate","type":"input","value":"46EEK","section":"Vehicle"},{"uid":"last","label":"Plate","type":"input","value":"46EEK","section":"Vehicle"},{"uid":"status","label":"Plate","type":"input","value":"46EEK","section":"Vehicle"}]}}',1);
INSERT INTO "journal" VALUES (29,1795339829123,'cad.EVENT_RECORD_REMOVE','[]','{"record":{"id":3391,"recordTypeId":3,"type":3,"kind":"BOLO","syncId":"","name":"BOLO","status":"46EEK","first":"46EEK","last":"46EEK","plate":"46EEK","flags":["ARMED"],"fields":[{"uid":"plate","label":"Plate","type":"input","value":"46EEK","section":"Vehicle"},{"uid":"first","label":"Plate","type":"input","value":"46EEK","section":"Vehicle"},{"uid":"last","label":"Plate","type":"input","value":"46EEK","section":"Vehicle"},{"uid":"status","label":"Plate","type":"input","value":"46EEK","section":"Vehicle"}]}}',1);
INSERT INTO "journal" VALUES (30,1795339830123,'cad.EVENT_PRINT_RECORD','["unit:61@county"]','{"idents":[61],"url":"https://b.example/x"}',1);
INSERT INTO "journal" VALUES (31,1795339831123,'cad.EVENT_CHAR_SELECTED','[]','{"accId":"5d0b7c1e","id":"2290"}',1);
INSERT INTO "journal" VALUES (32,1795339832123,'cad.EVENT_COMMUNITY_LINK_VERIFIED','[]','{"communityUserId":"license:9b41","accountUuid":"5d0b7c1e"}',1);
INSERT INTO "journal" VALUES (33,1795339833123,'cad.EVENT_TONE','[]','{"url":"https://b.example/t.mp3","playTonesTo":[{"kind":"DEPARTMENT","value":"x","label":"Station 9","callId":null,"ident":null},{"kind":"DEPARTMENT","value":"x","label":"Station 9","callId":null,"ident":null},{"kind":"DEPARTMENT","value":"x","label":"Station 9","callId":null,"ident":null},{"kind":"DEPARTMENT","value":"x","label":"Station 9","callId":null,"ident":null},{"kind":"DEPARTMENT","value":"x","label":"Station 9","callId":null,"ident":null},{"kind":"DEPARTMENT","value":"x","label":"Station 9","callId":null,"ident":null},{"kind":"DEPARTMENT","value":"x","label":"Station 9","callId":null,"ident":null},{"kind":"DEPARTMENT","value":"x","label":"Station 9","callId":null,"ident":null},{"kind":"DEPARTMENT","value":"x","label":"Station 9","callId":null,"ident":null}]}',1);
INSERT INTO "journal" VALUES (34,1795339834123,'cad.EVENT_PAGER_REBORN','["notice:1"]','{"addresses":["ENGINE-9","ENGINE-9","ENGINE-9","ENGINE-9","ENGINE-9","ENGINE-9","ENGINE-9","ENGINE-9","ENGINE-9"],"idents":[61],"nature":"Emergency","body":"Meet at the north bay."}',1);
INSERT INTO "journal" VALUES (35,1795339835123,'cad.EVENT_STATION_ALERT','["notice:2"]','{"locations":[{"name":"Harbour","open":["Bay A"],"close":["Bay B"]},{"name":"Harbour","open":["Bay A"],"close":["Bay B"]},{"name":"Harbour","open":["Bay A"],"close":["Bay B"]},{"name":"Harbour","open":["Bay A"],"close":["Bay B"]},{"name":"Harbour","open":["Bay A"],"close":["Bay B"]},{"name":"Harbour","open":["Bay A"],"close":["Bay B"]},{"name":"Harbour","open":["Bay A"],"close":["Bay B"]},{"name":"Harbour","open":["Bay A"],"close":["Bay B"]},{"name":"Harbour","open":["Bay A"],"close":["Bay B"]}],"message":"Ship fire, dock two.","hasAudio":false,"colors":["red"],"tone":"harbour-1"}',1);
INSERT INTO "journal" VALUES (36,1795339836123,'cad.EVENT_NEW_CALLOUT','["notice:3"]','{"id":"","name":"Street fight","locations":[{"x":410.0,"y":-2033.0,"z":0.0}],"details":{"description":"Four people, two bats.","pedChanceToSurrender":"60"}}',1);
INSERT INTO "journal" VALUES (37,1795339837123,'cad.EVENT_STREETSIGN_UPDATED','[]','{"ids":[14,15,16,17,18,19,20,21,22,23],"text1":"LANE","text2":"CLOSED","text3":""}',1);
INSERT INTO "journal" VALUES (38,1795339839123,'property-added','["property:1","approval:1"]','{"id":1,"owner":"license:owner","location":"Forum Dr 8","tier":1,"x":10,"y":-20,"description":"A laundromat with a flat above.","clientId":"license:owner"}',1);
INSERT INTO "journal" VALUES (39,1795339840123,'property-added','["property:2","approval:2"]','{"id":2,"owner":"license:owner","location":"Forum Dr 8","tier":1,"x":10,"y":-20,"description":"A laundromat with a flat above.","clientId":"license:owner"}',1);
INSERT INTO "journal" VALUES (40,1795339841123,'property-status-change','["property:1","approval:1"]','{"propertyId":1,"status":"ACTIVE","previous":"PENDING"}',1);
INSERT INTO "journal" VALUES (41,1795339842123,'property-equipment-change','["property:1"]','{"propertyId":1,"equipmentId":1,"equipmentType":1,"description":"Roof"}',1);
INSERT INTO "journal" VALUES (42,1795339843123,'property-equipment-change','["property:1"]','{"propertyId":1,"equipmentId":2,"equipmentType":3,"description":"Roof"}',1);
INSERT INTO "journal" VALUES (43,1795339844123,'property-equipment-change','["property:1"]','{"propertyId":1,"equipmentId":3,"equipmentType":3,"description":"Roof"}',1);
INSERT INTO "journal" VALUES (44,1795339845123,'drone-dispatched','["flight:1"]','{"propertyId":1,"droneId":2}',1);
INSERT INTO "journal" VALUES (45,1795339846123,'drone-dispatched','["flight:2"]','{"propertyId":1,"droneId":3}',1);
INSERT INTO "journal" VALUES (46,1795339847123,'drone-recalled','["flight:2"]','{"propertyId":1,"droneId":3}',1);
INSERT INTO "journal" VALUES (47,1795339848123,'alerts','["alarm:1","property:1"]','{"propertyId":"1","user":"license:visitor","alertId":1,"timestamp":"2026-11-22T09:30:48.123Z"}',1);
INSERT INTO "journal" VALUES (48,1795339849123,'visits','["property:1"]','{"propertyId":1,"clientId":"license:visitor","cameraId":1}',1);
INSERT INTO "journal" VALUES (49,1795339849123,'scanned','["property:1"]','{"propertyId":"1","clientId":"license:visitor"}',1);
INSERT INTO "journal" VALUES (50,1795339850123,'crimes','["property:1"]','{"propertyId":1,"clientId":"license:visitor","crimeId":1}',1);
INSERT INTO "journal" VALUES (51,1795339851123,'crimes','[]','{"propertyId":null,"clientId":null,"crimeId":2}',1);
INSERT INTO "journal" VALUES (52,1795339852123,'auth-entries','["property:1"]','{"propertyId":"1","clientId":"license:visitor","allowed":false}',1);
INSERT INTO "journal" VALUES (53,1795339853123,'auth-entries','["property:1"]','{"propertyId":"1","clientId":"license:owner","allowed":true}',1);
INSERT INTO "journal" VALUES (54,1795339854123,'property-coordinates-changed','["property:1"]','{"propertyId":1,"x":11,"y":-21}',1);
INSERT INTO "journal" VALUES (55,1795339855123,'property-size-changed','["property:1"]','{"propertyId":1,"width":30,"height":10,"size":300}',1);
INSERT INTO "journal" VALUES (56,1795339856123,'property-tier-changed','["property:1"]','{"propertyId":1,"tier":2}',1);
INSERT INTO "journal" VALUES (57,1795339857123,'property-equipment-change','["property:1"]','{"propertyId":1,"equipmentId":3}',1);
INSERT INTO "journal" VALUES (58,1795339858123,'property-added','["property:3","approval:3"]','{"id":3,"owner":"license:owner","location":"Shed","tier":1,"x":0,"y":0,"description":"","clientId":"license:owner"}',1);
INSERT INTO "journal" VALUES (59,1795339859123,'property-added','["property:4","approval:4"]','{"id":4,"owner":"license:owner","location":"Shed","tier":1,"x":0,"y":0,"description":"","clientId":"license:owner"}',1);
INSERT INTO "journal" VALUES (60,1795339860123,'property-added','["property:5","approval:5"]','{"id":5,"owner":"license:owner","location":"Shed","tier":1,"x":0,"y":0,"description":"","clientId":"license:owner"}',1);
INSERT INTO "journal" VALUES (61,1795339861123,'requested-remove-property','["property:1","removal:1"]','{"propertyId":1,"userId":"license:owner","reason":"Moving away"}',1);
INSERT INTO "journal" VALUES (62,1795339862123,'denied-remove-property','["property:1","removal:1"]','{"propertyId":1,"reason":"Not yet"}',1);
INSERT INTO "journal" VALUES (63,1795339863123,'requested-remove-property','["property:3","approval:3","removal:2"]','{"propertyId":3,"userId":"license:owner","reason":"Moving away"}',1);
INSERT INTO "journal" VALUES (64,1795339864123,'approved-remove-property','["property:3","removal:2"]','{"propertyId":3}',1);
INSERT INTO "journal" VALUES (65,1795339865123,'requested-remove-property','["property:4","approval:4","removal:3"]','{"propertyId":4,"userId":"license:owner","reason":"Moving away"}',1);
INSERT INTO "journal" VALUES (66,1795339866123,'property-removed','["property:5","approval:5"]','{"propertyId":5}',1);
INSERT INTO "journal" VALUES (67,1795339867123,'property-restored','["property:5","approval:5"]','{"propertyId":5,"status":"PENDING"}',1);
INSERT INTO "journal" VALUES (68,1795339867123,'approval-given','["approval:5"]','{"propertyId":5,"missing":1}',1);
INSERT INTO "journal" VALUES (69,1795339868123,'cad.EVENT_UNIT_LOGOUT','["unit:74@county","panic:1"]','{"idents":[74]}',1);
INSERT INTO "journal" VALUES (70,1795339869123,'requested-remove-property','["property:1","removal:4"]','{"propertyId":1}',1);
INSERT INTO "journal" VALUES (71,1795339870123,'withdrawn-remove-property','["property:1","removal:4"]','{"propertyId":1}',1);
INSERT INTO "journal" VALUES (72,1795339871123,'alarm-changed','["alarm:1","property:1"]','{"alarmId":1,"propertyId":1,"action":"noted","by":"tester"}',1);
INSERT INTO "journal" VALUES (73,1795339872123,'alarm-changed','["alarm:1","property:1"]','{"alarmId":1,"propertyId":1,"action":"noted","by":"tester"}',1);
INSERT INTO "journal" VALUES (74,1795339873123,'alarm-changed','["alarm:1","property:1"]','{"alarmId":1,"propertyId":1,"action":"noted","by":"tester"}',1);
INSERT INTO "journal" VALUES (75,1795339874123,'alarm-changed','["alarm:1","property:1"]','{"alarmId":1,"propertyId":1,"action":"noted","by":"tester"}',1);
INSERT INTO "journal" VALUES (76,1795339875123,'alarm-changed','["alarm:1","property:1"]','{"alarmId":1,"propertyId":1,"action":"noted","by":"tester"}',1);
INSERT INTO "journal" VALUES (77,1795339876123,'alarm-changed','["alarm:1","property:1"]','{"alarmId":1,"propertyId":1,"action":"snoozed","by":"tester"}',1);
INSERT INTO "journal" VALUES (78,1795339877123,'alarm-changed','["alarm:1","property:1"]','{"alarmId":1,"propertyId":1,"action":"acknowledged","by":"tester"}',1);
INSERT INTO "journal" VALUES (79,1795339878123,'alerts','["alarm:1","property:1"]','{"propertyId":"1","user":"license:visitor","alertId":2,"timestamp":"2026-11-22T09:31:18.123Z"}',1);
INSERT INTO "journal" VALUES (80,1795339879123,'alarm-changed','["alarm:1","property:1"]','{"alarmId":1,"propertyId":1,"action":"resolved","by":"tester"}',1);
INSERT INTO "journal" VALUES (81,1795339880123,'alerts','["alarm:2","property:2"]','{"propertyId":"2","user":"license:visitor","alertId":3,"timestamp":"2026-11-22T09:31:20.123Z"}',1);
INSERT INTO "journal" VALUES (82,1795339880123,'sentinel.cad-silent','[]','{"cad":"county","since":1795338020123,"onDuty":1}',2);
INSERT INTO "journal" VALUES (83,1795340120123,'sentinel.cad-back','[]','{"cad":"county","since":1795338020123}',2);
INSERT INTO "journal" VALUES (84,1795426520123,'sentinel.daily','[]','{"day":"2026-11-23","pushes":38,"emergencies":3,"dispatches":2,"panics":1,"alarms":3,"visits":1,"flights":2,"messages":0,"problems":0}',2);
CREATE TABLE subscriptions (
    client TEXT NOT NULL,
    event TEXT NOT NULL, used INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (client, event)
) STRICT, WITHOUT ROWID;
INSERT INTO "subscriptions" VALUES ('dashboard','alerts',1795426520123);
CREATE TABLE cards (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    subject TEXT NOT NULL UNIQUE,
    channel TEXT NOT NULL,
    mention INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,
    shown INTEGER NOT NULL DEFAULT 0,
    posting INTEGER NOT NULL DEFAULT 1,
    channel_id INTEGER,
    message_id INTEGER,
    digest TEXT NOT NULL DEFAULT ''
, picture TEXT NOT NULL DEFAULT '') STRICT;
INSERT INTO "cards" VALUES (1,'emergency:1@county','emergency',0,1795339809123,3,0,1,NULL,NULL,'','');
INSERT INTO "cards" VALUES (2,'emergency:2@county','emergency',0,1795339810123,2,0,1,NULL,NULL,'','');
INSERT INTO "cards" VALUES (3,'emergency:3@county','emergency',0,1795339811123,1,0,1,NULL,NULL,'','');
INSERT INTO "cards" VALUES (5,'dispatch:10@county','dispatch',0,1795339813123,11,0,1,NULL,NULL,'','');
INSERT INTO "cards" VALUES (6,'dispatch:11@county','dispatch',0,1795339814123,2,0,1,NULL,NULL,'','');
INSERT INTO "cards" VALUES (18,'panic:1','panic',0,1795339825123,3,0,1,NULL,NULL,'','');
INSERT INTO "cards" VALUES (20,'notice:1','dispatch',0,1795339834123,1,0,1,NULL,NULL,'','');
INSERT INTO "cards" VALUES (21,'notice:2','dispatch',0,1795339835123,1,0,1,NULL,NULL,'','');
INSERT INTO "cards" VALUES (22,'notice:3','dispatch',0,1795339836123,1,0,1,NULL,NULL,'','');
INSERT INTO "cards" VALUES (23,'approval:1','approvals',0,1795339839123,2,0,1,NULL,NULL,'','');
INSERT INTO "cards" VALUES (24,'approval:2','approvals',0,1795339840123,1,0,1,NULL,NULL,'','');
INSERT INTO "cards" VALUES (26,'flight:1','drones',0,1795339845123,1,0,1,NULL,NULL,'','');
INSERT INTO "cards" VALUES (27,'flight:2','drones',0,1795339846123,2,0,1,NULL,NULL,'','');
INSERT INTO "cards" VALUES (29,'alarm:1','alerts',0,1795339848123,10,0,1,NULL,NULL,'','');
INSERT INTO "cards" VALUES (30,'approval:3','approvals',0,1795339858123,2,0,1,NULL,NULL,'','');
INSERT INTO "cards" VALUES (31,'approval:4','approvals',0,1795339859123,2,0,1,NULL,NULL,'','');
INSERT INTO "cards" VALUES (32,'approval:5','approvals',0,1795339860123,4,0,1,NULL,NULL,'','');
INSERT INTO "cards" VALUES (33,'removal:1','approvals',0,1795339861123,2,0,1,NULL,NULL,'','');
INSERT INTO "cards" VALUES (36,'removal:2','approvals',0,1795339863123,2,0,1,NULL,NULL,'','');
INSERT INTO "cards" VALUES (39,'removal:3','approvals',0,1795339865123,1,0,1,NULL,NULL,'','');
INSERT INTO "cards" VALUES (44,'removal:4','approvals',0,1795339869123,2,0,1,NULL,NULL,'','');
INSERT INTO "cards" VALUES (55,'alarm:2','alerts',0,1795339880123,1,0,1,NULL,NULL,'','');
INSERT INTO "cards" VALUES (56,'board:units','units',0,1795339868123,1,0,1,NULL,NULL,'','');
CREATE TABLE feed_entries (
    journal_id INTEGER PRIMARY KEY REFERENCES journal (id) ON DELETE CASCADE,
    channel TEXT NOT NULL,
    mention INTEGER NOT NULL DEFAULT 0,
    batch INTEGER,
    summed INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO "feed_entries" VALUES (1,'units',0,NULL,0);
INSERT INTO "feed_entries" VALUES (2,'units',0,NULL,0);
INSERT INTO "feed_entries" VALUES (3,'units',0,NULL,0);
INSERT INTO "feed_entries" VALUES (4,'units',0,NULL,0);
INSERT INTO "feed_entries" VALUES (5,'units',0,NULL,0);
INSERT INTO "feed_entries" VALUES (6,'units',0,NULL,0);
INSERT INTO "feed_entries" VALUES (7,'units',0,NULL,0);
INSERT INTO "feed_entries" VALUES (8,'units',0,NULL,0);
INSERT INTO "feed_entries" VALUES (27,'records',0,NULL,0);
INSERT INTO "feed_entries" VALUES (28,'records',0,NULL,0);
INSERT INTO "feed_entries" VALUES (29,'records',0,NULL,0);
INSERT INTO "feed_entries" VALUES (30,'records',0,NULL,0);
INSERT INTO "feed_entries" VALUES (31,'records',0,NULL,0);
INSERT INTO "feed_entries" VALUES (32,'records',0,NULL,0);
INSERT INTO "feed_entries" VALUES (33,'dispatch',0,NULL,0);
INSERT INTO "feed_entries" VALUES (37,'dispatch',0,NULL,0);
INSERT INTO "feed_entries" VALUES (40,'properties',0,NULL,0);
INSERT INTO "feed_entries" VALUES (41,'properties',0,NULL,0);
INSERT INTO "feed_entries" VALUES (42,'properties',0,NULL,0);
INSERT INTO "feed_entries" VALUES (43,'properties',0,NULL,0);
INSERT INTO "feed_entries" VALUES (48,'visits',0,NULL,0);
INSERT INTO "feed_entries" VALUES (50,'crimes',0,NULL,0);
INSERT INTO "feed_entries" VALUES (51,'crimes',0,NULL,0);
INSERT INTO "feed_entries" VALUES (52,'access',0,NULL,0);
INSERT INTO "feed_entries" VALUES (53,'access',0,NULL,0);
INSERT INTO "feed_entries" VALUES (54,'properties',0,NULL,0);
INSERT INTO "feed_entries" VALUES (55,'properties',0,NULL,0);
INSERT INTO "feed_entries" VALUES (56,'properties',0,NULL,0);
INSERT INTO "feed_entries" VALUES (57,'properties',0,NULL,0);
INSERT INTO "feed_entries" VALUES (66,'properties',0,NULL,0);
INSERT INTO "feed_entries" VALUES (67,'properties',0,NULL,0);
INSERT INTO "feed_entries" VALUES (69,'units',0,NULL,0);
INSERT INTO "feed_entries" VALUES (82,'log',0,NULL,0);
INSERT INTO "feed_entries" VALUES (83,'log',0,NULL,0);
INSERT INTO "feed_entries" VALUES (84,'log',0,NULL,0);
CREATE TABLE tiers (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    price TEXT NOT NULL,
    retired INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO "tiers" VALUES (1,'Basic','59.99',0);
INSERT INTO "tiers" VALUES (2,'Premium','99.99',0);
INSERT INTO "tiers" VALUES (3,'Optimum','149.99',0);
CREATE TABLE equipment_types (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    retired INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO "equipment_types" VALUES (1,'Camera',0);
INSERT INTO "equipment_types" VALUES (2,'Badge reader',0);
INSERT INTO "equipment_types" VALUES (3,'Drone',0);
CREATE TABLE properties (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    location TEXT NOT NULL,
    tier INTEGER NOT NULL REFERENCES tiers (id),
    x INTEGER NOT NULL,
    y INTEGER NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    status TEXT NOT NULL,
    -- who set the status last; NULL until somebody did
    status_by TEXT,
    description TEXT NOT NULL,
    owner TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    removed_at INTEGER,
    searched TEXT NOT NULL,
    -- the words of the location, as db/search.py folds them, with blanks between
    place TEXT NOT NULL
, status_reason TEXT) STRICT;
INSERT INTO "properties" VALUES (1,'Forum Dr 8',2,11,-21,30,10,'ACTIVE','tester','A laundromat with a flat above.','license:owner',1795339839123,NULL,'forum dr 8
a laundromat with a flat above.','forum dr 8',NULL);
INSERT INTO "properties" VALUES (2,'Forum Dr 8',1,10,-20,20,10,'PENDING',NULL,'A laundromat with a flat above.','license:owner',1795339840123,NULL,'forum dr 8
a laundromat with a flat above.','forum dr 8',NULL);
INSERT INTO "properties" VALUES (3,'Shed',1,0,0,0,0,'REMOVED','tester','','license:owner',1795339858123,1795339864123,'shed
','shed',NULL);
INSERT INTO "properties" VALUES (4,'Shed',1,0,0,0,0,'REMOVED','tester','','license:owner',1795339859123,NULL,'shed
','shed',NULL);
INSERT INTO "properties" VALUES (5,'Shed',1,0,0,0,0,'PENDING',NULL,'','license:owner',1795339860123,NULL,'shed
','shed',NULL);
CREATE TABLE property_codes (
    code TEXT NOT NULL,
    property_id INTEGER NOT NULL REFERENCES properties (id) ON DELETE CASCADE,
    in_location INTEGER NOT NULL,
    PRIMARY KEY (code, property_id)
) STRICT, WITHOUT ROWID;
INSERT INTO "property_codes" VALUES ('8',1,1);
INSERT INTO "property_codes" VALUES ('8',2,1);
CREATE TABLE equipment (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    property_id INTEGER NOT NULL REFERENCES properties (id) ON DELETE CASCADE,
    type INTEGER NOT NULL REFERENCES equipment_types (id),
    description TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    removed_at INTEGER,
    searched TEXT NOT NULL
) STRICT;
INSERT INTO "equipment" VALUES (1,1,1,'Roof',1795339842123,NULL,'roof');
INSERT INTO "equipment" VALUES (2,1,3,'Roof',1795339843123,NULL,'roof');
INSERT INTO "equipment" VALUES (3,1,3,'Roof',1795339844123,1795339857123,'roof');
CREATE TABLE flights (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    drone_id INTEGER NOT NULL REFERENCES equipment (id) ON DELETE CASCADE,
    property_id INTEGER NOT NULL REFERENCES properties (id) ON DELETE CASCADE,
    dispatched_at INTEGER NOT NULL,
    dispatched_by TEXT NOT NULL,
    recalled_at INTEGER,
    recalled_by TEXT
, reason TEXT NOT NULL DEFAULT '') STRICT;
INSERT INTO "flights" VALUES (1,2,1,1795339845123,'tester',NULL,NULL,'Alarm on the roof');
INSERT INTO "flights" VALUES (2,3,1,1795339846123,'tester',1795339847123,'tester','');
CREATE TABLE removals (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    property_id INTEGER NOT NULL REFERENCES properties (id) ON DELETE CASCADE,
    requested_at INTEGER NOT NULL,
    requested_by TEXT,
    reason TEXT,
    previous_status TEXT NOT NULL,
    outcome TEXT CHECK (outcome IN ('approved', 'denied', 'withdrawn')),
    settled_at INTEGER,
    settled_by TEXT,
    answer TEXT
, asked_by TEXT NOT NULL DEFAULT '') STRICT;
INSERT INTO "removals" VALUES (1,1,1795339861123,'license:owner','Moving away','ACTIVE','denied',1795339862123,'tester','Not yet','tester');
INSERT INTO "removals" VALUES (2,3,1795339863123,'license:owner','Moving away','PENDING','approved',1795339864123,'tester',NULL,'tester');
INSERT INTO "removals" VALUES (3,4,1795339865123,'license:owner','Moving away','PENDING',NULL,NULL,NULL,NULL,'tester');
INSERT INTO "removals" VALUES (4,1,1795339869123,NULL,NULL,'ACTIVE','withdrawn',1795339870123,'tester',NULL,'tester');
CREATE TABLE allowed_users (
    property_id INTEGER NOT NULL REFERENCES properties (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL,
    PRIMARY KEY (property_id, user_id)
) STRICT, WITHOUT ROWID;
INSERT INTO "allowed_users" VALUES (1,'license:friend');
CREATE TABLE alerts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    property_id INTEGER NOT NULL REFERENCES properties (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
INSERT INTO "alerts" VALUES (1,1,'license:visitor',1795339848123);
INSERT INTO "alerts" VALUES (2,1,'license:visitor',1795339878123);
INSERT INTO "alerts" VALUES (3,2,'license:visitor',1795339880123);
CREATE TABLE visits (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    property_id INTEGER NOT NULL REFERENCES properties (id) ON DELETE CASCADE,
    camera_id INTEGER NOT NULL REFERENCES equipment (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
INSERT INTO "visits" VALUES (1,1,1,'license:visitor',1795339849123);
CREATE TABLE crimes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    property_id INTEGER REFERENCES properties (id) ON DELETE CASCADE,
    client_id TEXT,
    description TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
INSERT INTO "crimes" VALUES (1,1,'license:visitor','Broke in',1795339850123);
INSERT INTO "crimes" VALUES (2,NULL,NULL,'Broke in',1795339851123);
CREATE TABLE auth_entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    property_id INTEGER NOT NULL REFERENCES properties (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL,
    allowed INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT;
INSERT INTO "auth_entries" VALUES (1,1,'license:visitor',0,1795339852123);
INSERT INTO "auth_entries" VALUES (2,1,'license:owner',1,1795339853123);
CREATE TABLE emergency_calls (
    cad TEXT NOT NULL,
    call_id INTEGER NOT NULL,
    is_emergency INTEGER NOT NULL DEFAULT 1,
    caller TEXT NOT NULL DEFAULT '',
    location TEXT NOT NULL DEFAULT '',
    postal TEXT NOT NULL DEFAULT '',
    description TEXT NOT NULL DEFAULT '',
    received_at INTEGER NOT NULL,
    -- 0 until EVENT_911 itself has come; its removal, or the dispatch call made from it, may be first
    seen INTEGER NOT NULL DEFAULT 0,
    removed_at INTEGER,
    dispatch_call_id INTEGER,
    -- the property whose place it matches
    property_id INTEGER REFERENCES properties (id) ON DELETE SET NULL,
    -- the panic whose own 911 call this is: scripts make one when the button is pressed
    panic_id INTEGER REFERENCES panics (id) ON DELETE SET NULL,
    -- the number of the unit whose panic button it tells of, folded; NULL if it tells of none
    pressed_by TEXT,
    -- the crime that it was counted as
    crime_id INTEGER REFERENCES crimes (id) ON DELETE SET NULL,
    touched_at INTEGER NOT NULL,
    PRIMARY KEY (cad, call_id)
) STRICT, WITHOUT ROWID;
INSERT INTO "emergency_calls" VALUES ('county',1,1,'Wren Halloway','[8031] Forum Dr','8031','Smoke from the roof.',1795339809123,1,NULL,10,NULL,NULL,NULL,NULL,1795339815123);
INSERT INTO "emergency_calls" VALUES ('county',2,1,'Wren Halloway','[8031] Forum Dr','8031','Smoke from the roof.',1795339810123,1,1795339812123,NULL,NULL,NULL,NULL,NULL,1795339812123);
INSERT INTO "emergency_calls" VALUES ('county',3,0,'Wren Halloway','[8031] Forum Dr','8031','Smoke from the roof.',1795339811123,1,NULL,NULL,NULL,NULL,NULL,NULL,1795339811123);
CREATE TABLE dispatch_calls (
    cad TEXT NOT NULL,
    call_id INTEGER NOT NULL,
    title TEXT NOT NULL DEFAULT '',
    code TEXT NOT NULL DEFAULT '',
    status TEXT NOT NULL DEFAULT 'PENDING',
    priority TEXT NOT NULL DEFAULT '',
    block TEXT NOT NULL DEFAULT '',
    address TEXT NOT NULL DEFAULT '',
    postal TEXT NOT NULL DEFAULT '',
    description TEXT NOT NULL DEFAULT '',
    primary_unit INTEGER,
    emergency_call_id INTEGER,
    received_at INTEGER NOT NULL,
    -- what edits told, by name with blanks between: there an edit outranks the first report of a
    -- call, whichever arrives first
    edited TEXT NOT NULL DEFAULT '',
    closed_at INTEGER,
    property_id INTEGER REFERENCES properties (id) ON DELETE SET NULL,
    x REAL,
    y REAL,
    touched_at INTEGER NOT NULL,
    PRIMARY KEY (cad, call_id)
) STRICT, WITHOUT ROWID;
INSERT INTO "dispatch_calls" VALUES ('county',10,'Laundromat fire','10-70','ACTIVE','1','30','Forum Dr','8031','Flames visible.',61,1,1795339813123,'emergency_call_id title',NULL,NULL,NULL,NULL,1795339823123);
INSERT INTO "dispatch_calls" VALUES ('county',11,'Structure fire','10-70','ACTIVE','1','30','Forum Dr','8031','Flames visible.',61,NULL,1795339814123,'',1795339824123,NULL,NULL,NULL,1795339824123);
CREATE TABLE dispatch_units (
    cad TEXT NOT NULL,
    call_id INTEGER NOT NULL,
    ident INTEGER NOT NULL,
    attached INTEGER NOT NULL,
    explicit INTEGER NOT NULL,
    PRIMARY KEY (cad, call_id, ident)
) STRICT, WITHOUT ROWID;
INSERT INTO "dispatch_units" VALUES ('county',10,61,1,1);
INSERT INTO "dispatch_units" VALUES ('county',10,74,1,1);
INSERT INTO "dispatch_units" VALUES ('county',10,99,0,1);
INSERT INTO "dispatch_units" VALUES ('county',11,61,1,0);
CREATE TABLE dispatch_notes (
    id INTEGER PRIMARY KEY,
    cad TEXT NOT NULL,
    call_id INTEGER NOT NULL,
    time TEXT NOT NULL,
    label TEXT NOT NULL,
    content TEXT NOT NULL,
    UNIQUE (cad, call_id, time, label, content)
) STRICT;
INSERT INTO "dispatch_notes" VALUES (1,'county',10,'21:14','7K-22','Note 1');
INSERT INTO "dispatch_notes" VALUES (2,'county',10,'21:14','7K-22','Note 2');
INSERT INTO "dispatch_notes" VALUES (3,'county',10,'21:14','7K-22','Note 3');
INSERT INTO "dispatch_notes" VALUES (4,'county',10,'21:14','7K-22','Note 4');
INSERT INTO "dispatch_notes" VALUES (5,'county',10,'21:14','7K-22','Note 5');
INSERT INTO "dispatch_notes" VALUES (6,'county',10,'21:14','7K-22','Note 6');
CREATE TABLE units (
    cad TEXT NOT NULL,
    ident INTEGER NOT NULL,
    unit_num TEXT NOT NULL DEFAULT '',
    name TEXT NOT NULL DEFAULT '',
    department TEXT NOT NULL DEFAULT '',
    status TEXT NOT NULL DEFAULT '',
    status_code INTEGER,
    group_name TEXT NOT NULL DEFAULT '',
    location TEXT NOT NULL DEFAULT '',
    is_dispatch INTEGER NOT NULL DEFAULT 0,
    is_panic INTEGER NOT NULL DEFAULT 0,
    on_duty INTEGER NOT NULL DEFAULT 1,
    updated_at INTEGER NOT NULL,
    searched TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (cad, ident)
) STRICT, WITHOUT ROWID;
INSERT INTO "units" VALUES ('county',61,'7K-22','M. Okafor','BCSO','AVAILABLE',2,'','Paleto Blvd',0,0,1,1795339825123,'7k-22
m. okafor');
INSERT INTO "units" VALUES ('county',74,'7K-30','R. Pike','','STAGING',NULL,'','Paleto Blvd',1,0,0,1795339868123,'7k-30
r. pike');
CREATE TABLE panics (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    cad TEXT NOT NULL,
    started_at INTEGER NOT NULL
) STRICT;
INSERT INTO "panics" VALUES (1,'county',1795339825123);
CREATE TABLE panic_units (
    panic_id INTEGER NOT NULL REFERENCES panics (id) ON DELETE CASCADE,
    cad TEXT NOT NULL,
    ident INTEGER NOT NULL,
    cleared_at INTEGER,
    PRIMARY KEY (panic_id, ident)
) STRICT, WITHOUT ROWID;
INSERT INTO "panic_units" VALUES (1,'county',61,1795339826123);
INSERT INTO "panic_units" VALUES (1,'county',74,1795339868123);
CREATE TABLE notices (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    cad TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('pager', 'station', 'callout')),
    key TEXT NOT NULL,
    data TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
INSERT INTO "notices" VALUES (1,'county','pager','','{"addresses":["ENGINE-9","ENGINE-9","ENGINE-9","ENGINE-9","ENGINE-9","ENGINE-9","ENGINE-9","ENGINE-9","ENGINE-9"],"idents":[61],"nature":"Emergency","body":"Meet at the north bay."}',1795339834123);
INSERT INTO "notices" VALUES (2,'county','station','','{"locations":[{"name":"Harbour","open":["Bay A"],"close":["Bay B"]},{"name":"Harbour","open":["Bay A"],"close":["Bay B"]},{"name":"Harbour","open":["Bay A"],"close":["Bay B"]},{"name":"Harbour","open":["Bay A"],"close":["Bay B"]},{"name":"Harbour","open":["Bay A"],"close":["Bay B"]},{"name":"Harbour","open":["Bay A"],"close":["Bay B"]},{"name":"Harbour","open":["Bay A"],"close":["Bay B"]},{"name":"Harbour","open":["Bay A"],"close":["Bay B"]},{"name":"Harbour","open":["Bay A"],"close":["Bay B"]}],"message":"Ship fire, dock two.","hasAudio":false,"colors":["red"],"tone":"harbour-1"}',1795339835123);
INSERT INTO "notices" VALUES (3,'county','callout','','{"id":"","name":"Street fight","locations":[{"x":410.0,"y":-2033.0,"z":0.0}],"details":{"description":"Four people, two bats.","pedChanceToSurrender":"60"}}',1795339836123);
CREATE TABLE fingerprints (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL,
    transports TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
INSERT INTO "fingerprints" VALUES (1,X'FF00','cad',1795426520123);
CREATE TABLE alarms (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    property_id INTEGER NOT NULL REFERENCES properties (id) ON DELETE CASCADE,
    raised_at INTEGER NOT NULL,
    raised_by TEXT NOT NULL,
    last_at INTEGER NOT NULL,
    last_by TEXT NOT NULL,
    repeats INTEGER NOT NULL DEFAULT 1,
    touched_at INTEGER NOT NULL,
    waiting_since INTEGER NOT NULL,
    called INTEGER NOT NULL DEFAULT 0,
    acknowledged_at INTEGER,
    acknowledged_by TEXT,
    snoozed_until INTEGER,
    snoozed_by TEXT,
    outcome TEXT CHECK (outcome IN ('resolved', 'false', 'quiet', 'removed')),
    settled_at INTEGER,
    settled_by TEXT
) STRICT;
INSERT INTO "alarms" VALUES (1,1,1795339848123,'license:visitor',1795339878123,'license:visitor',2,1795339878123,1795339848123,0,1795339877123,'tester',NULL,NULL,'resolved',1795339879123,'tester');
INSERT INTO "alarms" VALUES (2,2,1795339880123,'license:visitor',1795339880123,'license:visitor',1,1795339880123,1795339880123,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE alarm_steps (
    id INTEGER PRIMARY KEY,
    alarm_id INTEGER NOT NULL REFERENCES alarms (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL,
    text TEXT NOT NULL DEFAULT ''
) STRICT;
INSERT INTO "alarm_steps" VALUES (1,1,1795339871123,'tester','noted','At the back door');
INSERT INTO "alarm_steps" VALUES (2,1,1795339872123,'tester','noted','Two people');
INSERT INTO "alarm_steps" VALUES (3,1,1795339873123,'tester','noted','A van');
INSERT INTO "alarm_steps" VALUES (4,1,1795339874123,'tester','noted','It leaves');
INSERT INTO "alarm_steps" VALUES (5,1,1795339875123,'tester','noted','They are gone');
INSERT INTO "alarm_steps" VALUES (6,1,1795339876123,'tester','snoozed','1795340776123');
INSERT INTO "alarm_steps" VALUES (7,1,1795339877123,'tester','acknowledged','');
INSERT INTO "alarm_steps" VALUES (8,1,1795339879123,'tester','resolved','');
INSERT INTO "alarm_steps" VALUES (9,2,1795339880123,'tester','noted','A window broke');
CREATE TABLE alarm_calls (
    alarm_id INTEGER NOT NULL REFERENCES alarms (id) ON DELETE CASCADE,
    stage INTEGER NOT NULL,
    at INTEGER NOT NULL,
    roles TEXT NOT NULL,
    PRIMARY KEY (alarm_id, stage)
) STRICT, WITHOUT ROWID;
INSERT INTO "alarm_calls" VALUES (2,1,1795339880123,'');
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL
) STRICT;
INSERT INTO "audit" VALUES (1,1795339838123,'tester','add-user','user:license:owner','{}','{"fullName":"Wren Halloway"}');
INSERT INTO "audit" VALUES (2,1795339839123,'tester','add-property','property:1','{}','{"id":1,"location":"Forum Dr 8","tier":1,"x":10,"y":-20,"width":20,"height":10,"status":"PENDING","description":"A laundromat with a flat above.","owner":"license:owner"}');
INSERT INTO "audit" VALUES (3,1795339840123,'tester','add-property','property:2','{}','{"id":2,"location":"Forum Dr 8","tier":1,"x":10,"y":-20,"width":20,"height":10,"status":"PENDING","description":"A laundromat with a flat above.","owner":"license:owner"}');
INSERT INTO "audit" VALUES (4,1795339841123,'tester','edit-property','property:1','{"status":"PENDING"}','{"status":"ACTIVE"}');
INSERT INTO "audit" VALUES (5,1795339842123,'tester','add-equipment','equipment:1','{}','{"property":1,"type":1,"description":"Roof"}');
INSERT INTO "audit" VALUES (6,1795339843123,'tester','add-equipment','equipment:2','{}','{"property":1,"type":3,"description":"Roof"}');
INSERT INTO "audit" VALUES (7,1795339844123,'tester','add-equipment','equipment:3','{}','{"property":1,"type":3,"description":"Roof"}');
INSERT INTO "audit" VALUES (8,1795339845123,'tester','dispatch-drone','equipment:2','{"out":false}','{"out":true,"property":1,"reason":"Alarm on the roof"}');
INSERT INTO "audit" VALUES (9,1795339846123,'tester','dispatch-drone','equipment:3','{"out":false}','{"out":true,"property":1,"reason":""}');
INSERT INTO "audit" VALUES (10,1795339847123,'tester','recall-drone','equipment:3','{"out":true,"property":1}','{"out":false}');
INSERT INTO "audit" VALUES (11,1795339854123,'tester','edit-property','property:1','{"x":10,"y":-20}','{"x":11,"y":-21}');
INSERT INTO "audit" VALUES (12,1795339855123,'tester','edit-property','property:1','{"width":20}','{"width":30}');
INSERT INTO "audit" VALUES (13,1795339856123,'tester','edit-property','property:1','{"tier":1}','{"tier":2}');
INSERT INTO "audit" VALUES (14,1795339857123,'tester','remove-equipment','equipment:3','{"property":1,"type":3,"description":"Roof"}','{}');
INSERT INTO "audit" VALUES (15,1795339858123,'tester','add-property','property:3','{}','{"id":3,"location":"Shed","tier":1,"x":0,"y":0,"width":0,"height":0,"status":"PENDING","description":"","owner":"license:owner"}');
INSERT INTO "audit" VALUES (16,1795339859123,'tester','add-property','property:4','{}','{"id":4,"location":"Shed","tier":1,"x":0,"y":0,"width":0,"height":0,"status":"PENDING","description":"","owner":"license:owner"}');
INSERT INTO "audit" VALUES (17,1795339860123,'tester','add-property','property:5','{}','{"id":5,"location":"Shed","tier":1,"x":0,"y":0,"width":0,"height":0,"status":"PENDING","description":"","owner":"license:owner"}');
INSERT INTO "audit" VALUES (18,1795339861123,'tester','request-remove-property','property:1','{"status":"ACTIVE"}','{"status":"REMOVED","reason":"Moving away","for":"license:owner"}');
INSERT INTO "audit" VALUES (19,1795339862123,'tester','deny-remove-property','property:1','{"status":"REMOVED"}','{"status":"ACTIVE","reason":"Not yet"}');
INSERT INTO "audit" VALUES (20,1795339863123,'tester','request-remove-property','property:3','{"status":"PENDING"}','{"status":"REMOVED","reason":"Moving away","for":"license:owner"}');
INSERT INTO "audit" VALUES (21,1795339864123,'tester','approve-remove-property','property:3','{"id":3,"location":"Shed","tier":1,"x":0,"y":0,"width":0,"height":0,"status":"REMOVED","description":"","owner":"license:owner"}','{}');
INSERT INTO "audit" VALUES (22,1795339865123,'tester','request-remove-property','property:4','{"status":"PENDING"}','{"status":"REMOVED","reason":"Moving away","for":"license:owner"}');
INSERT INTO "audit" VALUES (23,1795339866123,'tester','remove-property','property:5','{"id":5,"location":"Shed","tier":1,"x":0,"y":0,"width":0,"height":0,"status":"PENDING","description":"","owner":"license:owner"}','{}');
INSERT INTO "audit" VALUES (24,1795339867123,'tester','restore-property','property:5','{}','{"status":"PENDING"}');
INSERT INTO "audit" VALUES (25,1795339867123,'discord:7','approve','approval:5','{}','{"missing":1}');
INSERT INTO "audit" VALUES (26,1795339869123,'tester','request-remove-property','property:1','{"status":"ACTIVE"}','{"status":"REMOVED","reason":null,"for":null}');
INSERT INTO "audit" VALUES (27,1795339870123,'tester','withdraw-remove-property','property:1','{"status":"REMOVED"}','{"status":"ACTIVE","for":null}');
INSERT INTO "audit" VALUES (28,1795339871123,'tester','alarm-noted','alarm:1','{"state":"waiting"}','{"state":"noted","text":"At the back door"}');
INSERT INTO "audit" VALUES (29,1795339872123,'tester','alarm-noted','alarm:1','{"state":"waiting"}','{"state":"noted","text":"Two people"}');
INSERT INTO "audit" VALUES (30,1795339873123,'tester','alarm-noted','alarm:1','{"state":"waiting"}','{"state":"noted","text":"A van"}');
INSERT INTO "audit" VALUES (31,1795339874123,'tester','alarm-noted','alarm:1','{"state":"waiting"}','{"state":"noted","text":"It leaves"}');
INSERT INTO "audit" VALUES (32,1795339875123,'tester','alarm-noted','alarm:1','{"state":"waiting"}','{"state":"noted","text":"They are gone"}');
INSERT INTO "audit" VALUES (33,1795339876123,'tester','alarm-snoozed','alarm:1','{"state":"waiting"}','{"state":"snoozed","text":"1795340776123"}');
INSERT INTO "audit" VALUES (34,1795339877123,'tester','alarm-acknowledged','alarm:1','{"state":"snoozed"}','{"state":"acknowledged"}');
INSERT INTO "audit" VALUES (35,1795339879123,'tester','alarm-resolved','alarm:1','{"state":"acknowledged"}','{"state":"resolved"}');
INSERT INTO "audit" VALUES (36,1795426520123,'tester','add-allowed-user','property:1','{}','{"allowed":"license:friend"}');
CREATE TABLE links (
    member_id INTEGER PRIMARY KEY,
    user_id TEXT NOT NULL UNIQUE,
    linked_at INTEGER NOT NULL,
    linked_by TEXT NOT NULL,
    -- whether they get a private message when the alarm is raised at a property of theirs
    wants_alarms INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO "links" VALUES (7,'license:friend',1795426520123,'discord:9',0);
CREATE TABLE link_codes (
    code TEXT PRIMARY KEY,
    member_id INTEGER NOT NULL UNIQUE,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "link_codes" VALUES ('CODE',8,1795426520124);
CREATE TABLE approvals (
    subject TEXT NOT NULL,
    who TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (subject, who)
) STRICT, WITHOUT ROWID;
INSERT INTO "approvals" VALUES ('approval:5','discord:7',1795339867123);
CREATE TABLE users (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    full_name TEXT NOT NULL,
    searched TEXT NOT NULL
) STRICT;
INSERT INTO "users" VALUES (1,'license:owner','Wren Halloway','wren halloway
license:owner');
INSERT INTO "users" VALUES (2,'license:visitor','license:visitor','license:visitor');
INSERT INTO "users" VALUES (3,'license:friend','license:friend','license:friend');
CREATE TABLE visit_totals (
    property_id INTEGER NOT NULL REFERENCES properties (id) ON DELETE CASCADE,
    camera_id INTEGER NOT NULL REFERENCES equipment (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    visits INTEGER NOT NULL,
    PRIMARY KEY (property_id, camera_id, at)
) STRICT, WITHOUT ROWID;
INSERT INTO "visit_totals" VALUES (1,1,1795339849123,1);
CREATE TABLE visitors (
    property_id INTEGER NOT NULL REFERENCES properties (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    visit_id INTEGER NOT NULL,
    PRIMARY KEY (property_id, user_id)
) STRICT, WITHOUT ROWID;
INSERT INTO "visitors" VALUES (1,'license:visitor',1795339849123,1);
CREATE TABLE alarm_totals (
    property_id INTEGER PRIMARY KEY,
    alarms INTEGER NOT NULL
) STRICT;
INSERT INTO "alarm_totals" VALUES (0,2);
INSERT INTO "alarm_totals" VALUES (1,1);
INSERT INTO "alarm_totals" VALUES (2,1);
CREATE TABLE property_totals (
    status TEXT PRIMARY KEY,
    properties INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "property_totals" VALUES ('ACTIVE',1);
INSERT INTO "property_totals" VALUES ('PENDING',2);
INSERT INTO "property_totals" VALUES ('REMOVED',1);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES ('journal', 84);
INSERT INTO sqlite_sequence VALUES ('panics', 1);
INSERT INTO sqlite_sequence VALUES ('notices', 3);
INSERT INTO sqlite_sequence VALUES ('audit', 36);
INSERT INTO sqlite_sequence VALUES ('properties', 5);
INSERT INTO sqlite_sequence VALUES ('equipment', 3);
INSERT INTO sqlite_sequence VALUES ('flights', 2);
INSERT INTO sqlite_sequence VALUES ('alerts', 3);
INSERT INTO sqlite_sequence VALUES ('alarms', 2);
INSERT INTO sqlite_sequence VALUES ('visits', 1);
INSERT INTO sqlite_sequence VALUES ('crimes', 2);
INSERT INTO sqlite_sequence VALUES ('auth_entries', 2);
INSERT INTO sqlite_sequence VALUES ('removals', 4);
INSERT INTO sqlite_sequence VALUES ('cards', 56);
CREATE INDEX journal_by_age ON journal (at);
CREATE INDEX cards_stale ON cards (channel, id) WHERE shown < version;
CREATE INDEX feed_entries_by_channel ON feed_entries (channel, journal_id);
CREATE INDEX feed_entries_by_batch ON feed_entries (batch, journal_id) WHERE batch IS NOT NULL;
CREATE INDEX properties_by_status ON properties (status, id) WHERE removed_at IS NULL;
CREATE INDEX properties_by_owner ON properties (owner, id) WHERE removed_at IS NULL;
CREATE INDEX properties_by_point ON properties (x, y, width, height) WHERE removed_at IS NULL;
CREATE INDEX properties_by_width ON properties (width) WHERE removed_at IS NULL;
CREATE INDEX properties_by_place ON properties (place) WHERE removed_at IS NULL;
CREATE INDEX equipment_by_property ON equipment (property_id, type, id) WHERE removed_at IS NULL;
CREATE UNIQUE INDEX flights_open ON flights (drone_id) WHERE recalled_at IS NULL;
CREATE INDEX flights_by_property ON flights (property_id, id);
CREATE UNIQUE INDEX removals_open ON removals (property_id) WHERE outcome IS NULL;
CREATE INDEX alerts_by_property ON alerts (property_id, id);
CREATE INDEX visits_by_property ON visits (property_id, at);
CREATE INDEX crimes_by_time ON crimes (at);
CREATE INDEX auth_entries_by_property ON auth_entries (property_id, id);
CREATE INDEX emergency_calls_open ON emergency_calls (received_at)
    WHERE seen AND removed_at IS NULL AND dispatch_call_id IS NULL AND panic_id IS NULL;
CREATE INDEX emergency_calls_by_age ON emergency_calls (touched_at);
CREATE INDEX emergency_calls_of_panics ON emergency_calls (panic_id) WHERE panic_id IS NOT NULL;
CREATE INDEX emergency_calls_pressed ON emergency_calls (cad, received_at)
    WHERE pressed_by IS NOT NULL;
CREATE INDEX dispatch_calls_open ON dispatch_calls (received_at) WHERE closed_at IS NULL;
CREATE INDEX dispatch_calls_by_age ON dispatch_calls (touched_at);
CREATE INDEX dispatch_calls_of_emergencies ON dispatch_calls (cad, emergency_call_id)
    WHERE emergency_call_id IS NOT NULL;
CREATE INDEX units_on_duty ON units (cad, department, unit_num) WHERE on_duty;
CREATE INDEX panics_by_age ON panics (started_at);
CREATE UNIQUE INDEX panic_units_open ON panic_units (cad, ident) WHERE cleared_at IS NULL;
CREATE UNIQUE INDEX notices_by_key ON notices (cad, kind, key) WHERE key <> '';
CREATE INDEX notices_by_age ON notices (at);
CREATE INDEX fingerprints_by_digest ON fingerprints (digest, at);
CREATE UNIQUE INDEX alarms_open ON alarms (property_id) WHERE outcome IS NULL;
CREATE INDEX alarms_listed ON alarms ((outcome IS NULL) DESC, id DESC);
CREATE INDEX alarms_listed_by_property ON alarms (property_id, (outcome IS NULL) DESC, id DESC);
CREATE INDEX alarms_waiting ON alarms (waiting_since)
    WHERE outcome IS NULL AND acknowledged_at IS NULL AND snoozed_until IS NULL;
CREATE INDEX alarms_snoozed ON alarms (snoozed_until)
    WHERE outcome IS NULL AND snoozed_until IS NOT NULL;
CREATE INDEX alarms_touched ON alarms (touched_at)
    WHERE outcome IS NULL AND snoozed_until IS NULL;
CREATE INDEX alarm_steps_by_alarm ON alarm_steps (alarm_id, id);
CREATE INDEX audit_by_subject ON audit (subject, id);
CREATE INDEX audit_by_who ON audit (who, id);
CREATE INDEX properties_removed ON properties (removed_at) WHERE removed_at IS NOT NULL;
CREATE INDEX allowed_users_by_user ON allowed_users (user_id);
CREATE INDEX removals_by_property ON removals (property_id, id);
CREATE INDEX flights_by_drone ON flights (drone_id, id);
CREATE INDEX crimes_by_property ON crimes (property_id, at);
CREATE INDEX emergency_calls_at ON emergency_calls (property_id) WHERE property_id IS NOT NULL;
CREATE INDEX dispatch_calls_at ON dispatch_calls (property_id) WHERE property_id IS NOT NULL;
CREATE INDEX users_by_name ON users (searched);
CREATE VIEW equipment_text AS
    SELECT id AS number, id || char(10) || searched AS text,
        '  ' || replace(replace(searched, char(10), '  '), ' ', '  ') AS words FROM equipment;
CREATE INDEX visitors_by_time ON visitors (property_id, at, visit_id);
CREATE VIEW properties_text AS
    SELECT id AS number, id || char(10) || searched || char(10, 10) AS text,
        '  ' || replace(place, ' ', '  ') AS words FROM properties;
CREATE VIEW users_text AS
    SELECT number, searched || char(10, 10) AS text,
        '  ' || replace(replace(searched, char(10), '  '), ' ', '  ') AS words FROM users;
CREATE INDEX equipment_removed ON equipment (property_id, removed_at) WHERE removed_at IS NOT NULL;
CREATE VIRTUAL TABLE properties_index USING fts5(
    text, words, content = 'properties_text', content_rowid = 'number',
    tokenize = 'trigram case_sensitive 1'
);
INSERT INTO properties_index (properties_index) VALUES ('rebuild');
CREATE VIRTUAL TABLE users_index USING fts5(
    text, words, content = 'users_text', content_rowid = 'number',
    tokenize = 'trigram case_sensitive 1'
);
INSERT INTO users_index (users_index) VALUES ('rebuild');
CREATE VIRTUAL TABLE equipment_index USING fts5(
    text, words, content = 'equipment_text', content_rowid = 'number',
    tokenize = 'trigram case_sensitive 1'
);
INSERT INTO equipment_index (equipment_index) VALUES ('rebuild');
CREATE VIRTUAL TABLE properties_groups USING fts5vocab(properties_index, row);
CREATE VIRTUAL TABLE users_groups USING fts5vocab(users_index, row);
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER properties_indexed AFTER INSERT ON properties BEGIN
    INSERT INTO properties_index (rowid, text, words)
        SELECT number, text, words FROM properties_text WHERE number = new.id;
END;
CREATE TRIGGER properties_unindexed BEFORE DELETE ON properties BEGIN
    INSERT INTO properties_index (properties_index, rowid, text, words)
        SELECT 'delete', number, text, words FROM properties_text WHERE number = old.id;
END;
CREATE TRIGGER properties_reworded BEFORE UPDATE OF searched, place ON properties BEGIN
    INSERT INTO properties_index (properties_index, rowid, text, words)
        SELECT 'delete', number, text, words FROM properties_text WHERE number = old.id;
END;
CREATE TRIGGER properties_reindexed AFTER UPDATE OF searched, place ON properties BEGIN
    INSERT INTO properties_index (rowid, text, words)
        SELECT number, text, words FROM properties_text WHERE number = new.id;
END;
CREATE TRIGGER users_indexed AFTER INSERT ON users BEGIN
    INSERT INTO users_index (rowid, text, words)
        SELECT number, text, words FROM users_text WHERE number = new.number;
END;
CREATE TRIGGER users_unindexed BEFORE DELETE ON users BEGIN
    INSERT INTO users_index (users_index, rowid, text, words)
        SELECT 'delete', number, text, words FROM users_text WHERE number = old.number;
END;
CREATE TRIGGER users_reworded BEFORE UPDATE OF searched ON users BEGIN
    INSERT INTO users_index (users_index, rowid, text, words)
        SELECT 'delete', number, text, words FROM users_text WHERE number = old.number;
END;
CREATE TRIGGER users_reindexed AFTER UPDATE OF searched ON users BEGIN
    INSERT INTO users_index (rowid, text, words)
        SELECT number, text, words FROM users_text WHERE number = new.number;
END;
CREATE TRIGGER equipment_indexed AFTER INSERT ON equipment BEGIN
    INSERT INTO equipment_index (rowid, text, words)
        SELECT number, text, words FROM equipment_text WHERE number = new.id;
END;
CREATE TRIGGER equipment_unindexed BEFORE DELETE ON equipment BEGIN
    INSERT INTO equipment_index (equipment_index, rowid, text, words)
        SELECT 'delete', number, text, words FROM equipment_text WHERE number = old.id;
END;
CREATE TRIGGER visits_counted AFTER INSERT ON visits BEGIN
    INSERT INTO visit_totals (property_id, camera_id, at, visits)
        SELECT new.property_id, new.camera_id, new.at, coalesce((
            SELECT visits FROM visit_totals
            WHERE property_id = new.property_id AND camera_id = new.camera_id AND at < new.at
            ORDER BY at DESC LIMIT 1
        ), 0) WHERE TRUE
        ON CONFLICT (property_id, camera_id, at) DO NOTHING;
    UPDATE visit_totals SET visits = visits + 1
        WHERE property_id = new.property_id AND camera_id = new.camera_id AND at >= new.at;
    INSERT INTO visitors (property_id, user_id, at, visit_id)
        VALUES (new.property_id, new.user_id, new.at, new.id)
        ON CONFLICT (property_id, user_id)
            DO UPDATE SET at = max(at, excluded.at), visit_id = max(visit_id, excluded.visit_id);
END;
CREATE TRIGGER alarms_counted AFTER INSERT ON alarms BEGIN
    INSERT INTO alarm_totals (property_id, alarms) VALUES (0, 1), (new.property_id, 1)
        ON CONFLICT (property_id) DO UPDATE SET alarms = alarms + 1;
END;
CREATE TRIGGER alarms_uncounted AFTER DELETE ON alarms BEGIN
    UPDATE alarm_totals SET alarms = alarms - 1 WHERE property_id IN (0, old.property_id);
END;
CREATE TRIGGER properties_counted AFTER INSERT ON properties WHEN new.removed_at IS NULL BEGIN
    INSERT INTO property_totals (status, properties) VALUES (new.status, 1)
        ON CONFLICT (status) DO UPDATE SET properties = properties + 1;
END;
CREATE TRIGGER properties_uncounted AFTER DELETE ON properties WHEN old.removed_at IS NULL BEGIN
    UPDATE property_totals SET properties = properties - 1 WHERE status = old.status;
    DELETE FROM property_totals WHERE status = old.status AND properties = 0;
END;
CREATE TRIGGER properties_recounted AFTER UPDATE OF status, removed_at ON properties BEGIN
    UPDATE property_totals SET properties = properties - 1
        WHERE status = old.status AND old.removed_at IS NULL;
    INSERT INTO property_totals (status, properties)
        SELECT new.status, 1 WHERE new.removed_at IS NULL
        ON CONFLICT (status) DO UPDATE SET properties = properties + 1;
    DELETE FROM property_totals WHERE status = old.status AND properties = 0;
END;
PRAGMA application_id = 98857441;
PRAGMA user_version = 4;
