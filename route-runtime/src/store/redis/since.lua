
-- ARGV: 6 the epoch above which tags are listed

keep()
local above = '(' .. ARGV[6]
return {
  name,
  text(last),
  text(absent),
  text(stale),
  redis.call('ZRANGEBYSCORE', KEYS[2], above, '+inf', 'WITHSCORES'),
  redis.call('ZRANGEBYSCORE', KEYS[3], above, '+inf', 'WITHSCORES'),
}
