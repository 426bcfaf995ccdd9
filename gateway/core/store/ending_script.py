"""What Redis does in one step at the end of calls, of all that ended in one turn of a process' loop."""

from gateway.core.store.admission_scripts import BUCKETS
from gateway.core.store.budget_scripts import DROP
from gateway.core.store.script import CLOCK, Script

# KEYS: for each slot that is given back those of its limit; buckets; for each settled amount `money`, `owed` and `held`
# of its subject; `held` for each hold that is given back.
# ARGV: ms that all is kept, how many slots, buckets, amounts and holds there are; for each slot its call; for each
# bucket its amount, window in s, and what is taken (below zero: given back); for each settled amount the call or '',
# process, seq, quarter, amount, and 1 where the call holds nothing more with it; for each hold its call.
# What is settled is taken out of what its call still holds.
END_CALLS = Script(
    CLOCK
    + BUCKETS
    + DROP
    + """
local call, kept = redis.call, ARGV[1]
local slots, buckets, amounts, holds = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local at, k = 5 + slots, slots + buckets

-- By key, what stands behind it: a command for each would take Redis longer than what they do.
local function gather(lists, key, value)
  local list = lists[key] or {}
  lists[key] = list
  list[#list + 1] = value
end
local function drop_all(held, ids)
  if #ids == 1 then return drop(held, ids[1]) end
  local names, gone, sum, seen = {}, {}, 0, {}
  for i = 1, #ids do names[i] = 'a:' .. ids[i] end
  local amounts = call('HMGET', held, unpack(names))
  for i = 1, #ids do
    if amounts[i] and not seen[ids[i]] then
      seen[ids[i]], sum = true, sum + amounts[i]
      gone[#gone + 1], gone[#gone + 2] = names[i], 'x:' .. ids[i]
    end
  end
  if sum > exact then
    for i = 1, #ids do drop(held, ids[i]) end
  elseif #gone > 0 then
    call('HDEL', held, unpack(gone))
    call('HINCRBY', held, '*', '-' .. string.format('%.0f', sum))
  end
end
local function owe(money, owed, quarter, amount)
  if call('HINCRBY', money, 'q:' .. quarter, amount) <= tonumber(amount) then
    -- Once for what is owed of a quarter of an hour: no key is kept that much longer than the others.
    call('PEXPIRE', money, kept)
    call('PEXPIRE', owed, kept)
  end
end

local given_back, ended, owing = {}, {}, {}
for i = 1, slots do gather(given_back, KEYS[i], ARGV[5 + i]) end
for key, ids in pairs(given_back) do call('ZREM', key, unpack(ids)) end
for i = slots + 1, k do
  local amount, window, taken = tonumber(ARGV[at + 1]), ARGV[at + 2], tonumber(ARGV[at + 3])
  local level = math.max(0, level_of(call('GET', KEYS[i]), amount, window) + taken)
  keep_level(KEYS[i], level, amount, window)
  at = at + 3
end
local marks = {}
for i = 1, amounts do
  local money, owed, held = KEYS[k + 1], KEYS[k + 2], KEYS[k + 3]
  local id, process, seq, quarter, amount = unpack(ARGV, at + 1, at + 5)
  local known = marks[owed] or {}
  marks[owed] = known
  local mark = known[process] or tonumber(call('HGET', owed, 'm:' .. process) or -1)
  known[process] = mark
  local is_held = mark >= tonumber(seq)
  local is_new = not is_held and call('HSETNX', owed, 'e:' .. process .. ':' .. seq, quarter .. ':' .. amount) == 1
  if is_new then
    local sums = owing[money] or {owed = owed, of = {}}
    owing[money] = sums
    local sum = (sums.of[quarter] or 0) + amount
    if sum > exact then owe(money, owed, quarter, amount) else sums.of[quarter] = sum end
  end
  if ARGV[at + 6] == '1' then
    gather(ended, held, id)
  elseif id ~= '' and (is_new or is_held) then
    local before = call('HGET', held, 'a:' .. id)
    -- Below zero it is put right again: the sum of holds is taken no more than the hold was.
    if before and call('HINCRBY', held, 'a:' .. id, '-' .. amount) > 0 then
      call('HINCRBY', held, '*', '-' .. amount)
    elseif before then
      call('HSET', held, 'a:' .. id, before)
      drop(held, id)
    end
  end
  k, at = k + 3, at + 6
end
for money, sums in pairs(owing) do
  for quarter, sum in pairs(sums.of) do owe(money, sums.owed, quarter, string.format('%.0f', sum)) end
end
for i = 1, holds do gather(ended, KEYS[k + i], ARGV[at + i]) end
for held, ids in pairs(ended) do drop_all(held, ids) end
"""
)
