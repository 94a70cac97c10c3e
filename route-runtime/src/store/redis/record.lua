-- The beginning of every script that needs the record of invalidations.
--
-- KEYS: 1 the record, 2 the tags made absent, 3 the tags made stale, each by its latest epoch
-- ARGV: 1 the channel, 2 the record's name as the caller knows it, 3 the highest epoch that the
--       caller has seen, 4 a name for a record that has to be made, 5 an epoch that the record must
--       include

-- A server that is full refuses a script's first write, but no write after it. So the first write
-- must be one that needs room.

local LIFETIME = 60 * 86400 * 1000 -- entries live half as long

local function text(number)
  return string.format('%.0f', number)
end

local found = redis.call('HMGET', KEYS[1], 'name', 'last', 'absent', 'stale', 'absents', 'stales',
  'absent-bytes', 'stale-bytes')
local name = found[1]
local last = tonumber(found[2] or 0)
local absent = tonumber(found[3] or 0)
local stale = tonumber(found[4] or 0)
-- The number of tags of each kind, and the bytes of their names.
local counts = {absent = tonumber(found[5] or -1), stale = tonumber(found[6] or -1)}
local sizes = {absent = tonumber(found[7] or -1), stale = tonumber(found[8] or -1)}
local seen, met = tonumber(ARGV[3]), tonumber(ARGV[5])

-- Everything below the floor counts as invalidated, because invalidations of it may have been lost.
local floor = 0
if not name or sizes.absent < 0 or sizes.stale < 0
  or redis.call('ZCARD', KEYS[2]) ~= counts.absent
  or redis.call('ZCARD', KEYS[3]) ~= counts.stale then
  -- There is no record yet, or a server that was full may have evicted a part of it. The tags that
  -- are left say no more than the floor does.
  floor = last
  name = name or ARGV[4]
  counts, sizes = {absent = 0, stale = 0}, {absent = 0, stale = 0}
  redis.call('HSET', KEYS[1], 'name', name, 'last', text(last), 'absents', 0, 'stales', 0,
    'absent-bytes', 0, 'stale-bytes', 0)
  redis.call('DEL', KEYS[2], KEYS[3])
end
if (ARGV[2] ~= '' and ARGV[2] ~= name) or seen > last then
  floor = math.max(floor, seen + 1)
end
if met > last then
  floor = math.max(floor, met)
end
if floor > absent or floor > stale or floor > last then
  last = math.max(last, floor)
  absent = math.max(absent, floor)
  stale = math.max(stale, floor)
  redis.call('HSET', KEYS[1], 'last', text(last), 'absent', text(absent), 'stale', text(stale))
  redis.call('PUBLISH', ARGV[1], text(last))
end

local function keep()
  for number = 1, 3 do
    redis.call('PEXPIRE', KEYS[number], LIFETIME)
  end
end
