
-- The beginning of every script that asks the record of invalidations.
--
-- KEYS: 1 the record, 2 the tags made absent, 3 the tags made stale, each by its latest number, 4
--       the words of the numbers, 5 the reserve
-- ARGV: 1 the channel, 2 a name for a record that has to be made, 3 a word for a floor, 4 the number
--       of the mark that the caller has in force, 5 its word, 6 the number of another mark that the
--       record must know, 7 its word

local RESERVE = 1048576
local LIFETIME = 60 * 86400 * 1000 -- entries live half as long
local ANSWERED = 64
local MARK = 24 -- the bytes of a mark among those answered

local found = redis.call('HMGET', KEYS[1], 'name', 'last', 'absent', 'stale', 'absents', 'stales',
  'absent-bytes', 'stale-bytes', 'word', 'from', 'answered')
local name = found[1]
local last = tonumber(found[2] or 0)
local absent = tonumber(found[3] or 0)
local stale = tonumber(found[4] or 0)
-- The number of tags of each kind, and the bytes of their names.
local counts = {absent = tonumber(found[5] or -1), stale = tonumber(found[6] or -1)}
local sizes = {absent = tonumber(found[7] or -1), stale = tonumber(found[8] or -1)}
local word = found[9] or ''
local from = tonumber(found[10] or 0)
-- The unknown marks for which floors have risen.
local answered = found[11] or ''
local named = {
  {number = tonumber(ARGV[4]), word = ARGV[5]},
  {number = tonumber(ARGV[6]), word = ARGV[7]},
}

local function is_answered(mark)
  for at = 1, #answered, MARK do
    if answered:sub(at, at + MARK - 1) == mark then
      return true
    end
  end
  return false
end

-- Whether this script has made sure that it can write, and whether it gave up the reserve for that.
local is_ready, gave_up = false, 0

-- Comes before the first write. A server that is full refuses a script's first write, but no write
-- after it. Then the script gives up the reserve. Without a reserve, the next write fails, and is the
-- first one.
local function ready()
  if is_ready then
    return
  end
  is_ready = true
  local kept = redis.pcall('SETRANGE', KEYS[5], RESERVE - 1, '0')
  if type(kept) == 'table' and kept.err and redis.call('EXISTS', KEYS[5]) == 1 then
    redis.call('DEL', KEYS[5])
    gave_up = 1
  end
end

-- Makes everything that was rendered before count as invalidated. The number is above all that any
-- caller has named.
local function raise(number)
  ready()
  last, absent, stale, word = number, number, number, ARGV[3]
  redis.call('HSET', KEYS[1], 'last', text(last), 'word', word, 'absent', text(last), 'stale',
    text(last), 'from', text(from), 'answered', answered)
  redis.call('SETRANGE', KEYS[4], slot(last), word)
  redis.call('PUBLISH', ARGV[1], text(last))
end

if not name then
  ready()
  name = ARGV[2]
  last, absent, stale, word, from, answered = 0, 0, 0, '', 0, ''
  counts, sizes = {absent = 0, stale = 0}, {absent = 0, stale = 0}
  redis.call('HSET', KEYS[1], 'name', name, 'last', 0, 'absents', 0, 'stales', 0, 'absent-bytes', 0,
    'stale-bytes', 0)
  redis.call('DEL', KEYS[2], KEYS[3], KEYS[4])
elseif redis.call('ZCARD', KEYS[2]) ~= counts.absent
  or redis.call('ZCARD', KEYS[3]) ~= counts.stale then
  -- A server that was full may have evicted some tags. Those that are left say no more than the
  -- floor does.
  ready()
  counts, sizes = {absent = 0, stale = 0}, {absent = 0, stale = 0}
  absent, stale = last, last
  redis.call('HSET', KEYS[1], 'absent', text(last), 'stale', text(last), 'absents', 0, 'stales', 0,
    'absent-bytes', 0, 'stale-bytes', 0)
  redis.call('DEL', KEYS[2], KEYS[3])
  redis.call('PUBLISH', ARGV[1], text(last))
end

if last > 0 and word_of(KEYS[4], last) ~= word then
  -- The words are gone, or are those of another time. No mark from before can be judged any more.
  from = math.max(last, named[1].number, named[2].number) + 1
  raise(from)
end

local highest = 0
for _, mark in ipairs(named) do
  if judge(KEYS[4], last, from, mark.number, mark.word) == 'unknown' then
    local packed = string.format('%016.0f', mark.number) .. mark.word
    if not is_answered(packed) then
      highest = math.max(highest, mark.number)
      answered = (answered .. packed):sub(-MARK * ANSWERED)
    end
  end
end
if highest > 0 then
  raise(math.max(last, highest) + 1)
end

-- The floor for this caller alone: what a mark that is too old has seen cannot be told.
local own = 0
for _, mark in ipairs(named) do
  if judge(KEYS[4], last, from, mark.number, mark.word) == 'old' then
    own = last
  end
end

local function keep()
  for number = 1, 5 do
    redis.call('PEXPIRE', KEYS[number], LIFETIME)
  end
end
