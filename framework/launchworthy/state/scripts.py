"""What must the store do in one step? Lua, run by Valkey or Redis; nothing else runs in between.

Time is the store's own, so that replicas with different clocks count alike.
"""

from typing import Final

_NOW: Final = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
"""

TAKE: Final = (
    _NOW
    + """
local charges, holder, a = tonumber(ARGV[1]), ARGV[2], 3
for i = 1, charges do
  local amount, window = tonumber(ARGV[a]), tonumber(ARGV[a + 1])
  a = a + 2
  if redis.call('LLEN', KEYS[i]) >= amount then
    local left = tonumber(redis.call('LINDEX', KEYS[i], -amount)) + window - now
    if left > 0 then return {i, left} end
  end
end
for i = charges + 1, #KEYS do
  local places = tonumber(ARGV[a])
  a = a + 2
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', string.format('%.0f', now))
  if redis.call('ZCARD', KEYS[i]) >= places then return {i, 1000} end
end
a = 3
for i = 1, charges do
  redis.call('RPUSH', KEYS[i], string.format('%.0f', now))
  redis.call('LTRIM', KEYS[i], -tonumber(ARGV[a]), -1)
  redis.call('PEXPIRE', KEYS[i], ARGV[a + 1])
  a = a + 2
end
for i = charges + 1, #KEYS do
  redis.call('ZADD', KEYS[i], string.format('%.0f', now + tonumber(ARGV[a + 1])), holder)
  redis.call('PEXPIRE', KEYS[i], math.max(redis.call('PTTL', KEYS[i]), tonumber(ARGV[a + 1])))
  a = a + 2
end
return {0, 0}
"""
)
"""All charges and slots, or none: `{0, 0}`, or which key has no room and for how many milliseconds."""

COMPARE_AND_SET: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
return 1
"""
