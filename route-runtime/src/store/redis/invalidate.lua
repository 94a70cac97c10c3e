
-- KEYS: 4 those of 2 and 3 that the tags go to
-- ARGV: 6 which that is, 7 how many tags are remembered, 8… tags

last = last + 1
local score = text(last)
local added = {}
for number = 8, #ARGV do
  added[#added + 1] = score
  added[#added + 1] = ARGV[number]
  if #added >= 2000 or number == #ARGV then
    redis.call('ZADD', KEYS[4], unpack(added))
    added = {}
  end
end
local known = redis.call('ZCARD', KEYS[4])
local beyond = known - tonumber(ARGV[7])
if beyond > 0 then
  local highest = redis.call('ZRANGE', KEYS[4], beyond - 1, beyond - 1, 'WITHSCORES')
  redis.call('ZREMRANGEBYRANK', KEYS[4], 0, beyond - 1)
  known = known - beyond
  local forgotten = math.max(tonumber(highest[2]), ARGV[6] == 'absent' and absent or stale)
  redis.call('HSET', KEYS[1], ARGV[6], text(forgotten))
end
redis.call('HSET', KEYS[1], 'last', score, ARGV[6] .. 's', known)
keep()
redis.call('PUBLISH', ARGV[1], score)
return {name, score}
