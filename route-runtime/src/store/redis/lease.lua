-- KEYS: 1 the lease
-- ARGV: 1 the token of the lease, 2 the lease's length in milliseconds

if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
  return 0
end
return math.max(1, redis.call('PTTL', KEYS[1]))
