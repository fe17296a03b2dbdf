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

WRITE_ENTRY: Final = (
    _NOW
    + """
local ends = '-'
if ARGV[3] ~= '' then ends = string.format('%.0f', now + tonumber(ARGV[3])) end
return redis.call('HSET', KEYS[1], ARGV[1], ends .. ' ' .. ARGV[2])
"""
)

READ_ENTRIES: Final = (
    _NOW
    + """
local found, all = {}, redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local space = string.find(all[i + 1], ' ', 1, true)
  local ends = space and string.sub(all[i + 1], 1, space - 1)
  if ends and ends ~= '-' and (tonumber(ends) or now + 1) <= now then
    redis.call('HDEL', KEYS[1], all[i])
  else
    found[#found + 1] = all[i]
    found[#found + 1] = space and string.sub(all[i + 1], space + 1) or all[i + 1]
  end
end
return found
"""
)
"""Every entry whose time has not ended; one that none of us wrote too: its reader refuses it."""
