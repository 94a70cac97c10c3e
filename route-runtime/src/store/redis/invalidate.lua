
-- KEYS: 4 the one of 2 and 3 that the tags go to
-- ARGV: 6 its kind, `absent` or `stale`, 7 how many tags of this kind are remembered, 8 how many
--       bytes their names may have, 9… the tags

local kind, most, longest = ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8])
last = last + 1
local score = text(last)
local count, bytes = counts[kind], sizes[kind]
for number = 9, #ARGV do
  if redis.call('ZADD', KEYS[4], score, ARGV[number]) == 1 then
    count = count + 1
    bytes = bytes + #ARGV[number]
  end
end
local forgotten = kind == 'absent' and absent or stale
while count > 0 and (count > most or bytes > longest) do
  local oldest = redis.call('ZPOPMIN', KEYS[4])
  count = count - 1
  bytes = bytes - #oldest[1]
  forgotten = math.max(forgotten, tonumber(oldest[2]))
end
redis.call('HSET', KEYS[1], 'last', score, kind, text(forgotten), kind .. 's', count,
  kind .. '-bytes', text(bytes))
keep()
redis.call('PUBLISH', ARGV[1], score)
return {name, score}
