-- The instructions of one commit, run in order over staged rows.

local function invert(digits)
  return (digits:gsub('%d', function(digit) return tostring(9 - digit) end))
end

-- Whole numbers in the form of `encoding.py`.
local function as_number(data)
  local sign, body = data:sub(2, 2), data:sub(3, -2)
  if sign == '2' then return 0 end
  if sign == '1' then body = invert(body:sub(1, -2)) end
  local digits = body:sub(6)
  local whole = tonumber(digits .. ('0'):rep(tonumber(body:sub(1, 5)) - 50000 - #digits))
  return sign == '1' and -whole or whole
end

local function as_data(whole)
  if whole == 0 then return 'n2\0' end
  local digits = ('%.0f'):format(math.abs(whole))
  local body = ('%05d'):format(50000 + #digits) .. digits:gsub('0+$', '')
  return whole > 0 and 'n3' .. body .. '\0' or 'n1' .. invert(body) .. '~\0'
end

-- A position within the parent: the one asked for if it is free, else one past the largest.
local function position(r, x, now, asked, i)
  local path = joined(x.path, now)
  if not path then refuse('unplaced', i, r.t.table) end
  local name = index_key(r.base, r.t, x)
  local largest
  local function occupied(wanted)
    local low, high = bounds(path .. wanted)
    for _, each in ipairs(redis.call('ZRANGEBYLEX', name, low, high)) do
      local other = rows[record_key(r.base, r.t, key_of(x, each, #path))]
      if not other or other == r or not other.dirty then return true end
    end
    return false
  end
  local staged = {}
  for _, each in ipairs(moved) do
    local at_ = each.now and each ~= r and each.t == r.t and each.base == r.base and each.now[x.by]
    if at_ and joined(x.path, each.now) == path then
      staged[canonical(at_)] = true
      local whole = as_number(canonical(at_))
      if not largest or whole > largest then largest = whole end
    end
  end
  if asked and not staged[canonical(asked)] and not occupied(canonical(asked)) then return asked end
  local skip = 0
  while true do
    local found = redis.call('ZREVRANGEBYLEX', name, '(' .. path .. '~', '[' .. path, 'LIMIT', skip, 1)
    if #found == 0 then break end
    local key = key_of(x, found[1], #path)
    local other = rows[record_key(r.base, r.t, key)]
    if not other or not other.dirty then
      local whole = as_number(found[1]:sub(#path + 1, #found[1] - #key))
      if not largest or whole > largest then largest = whole end
      break
    end
    skip = skip + 1
  end
  return as_data((largest or -1) + 1)
end

local asks = {}

-- One record inserted or merged. Answers what became of it, and its version.
local function upsert(i)
  local base, name, key, on = KEYS[number()], take(), take(), take()
  local expect, guard, claim, unscoped = take(), take(), take() == '1', take() == '1'
  local how, rules, places = take(), {}, {}
  for n = 1, number() do
    local rule = {column = take(), letter = take(), given = take()}
    if rule.letter == 'N' then places[#places + 1] = rule else rules[#rules + 1] = rule end
  end
  local incoming = {}
  for n = 1, number() do
    local column = take()
    incoming[column] = take()
  end
  local t = T[name]
  local r = row(base, name, key)
  if on ~= '' then
    for _, u in ipairs(t.u) do
      local values = u.name == on and unique_values(u, incoming)
      local held = values and holder(r, unique_key(base, t, u), values)
      if held then
        r = row(base, name, held)
      elseif u.name == on and r.now then
        refuse('duplicate', i, name, '')
      end
    end
  end
  if how == '=' then
    -- What Python merged, over the version that it merged into.
    if not holds(expect, r) then
      asks[#asks + 1] = {i, version_of(r), r.now and fields(r) or {}}
      return {'asked', ''}
    end
  else
    if not holds(expect, r) then return {'refused', ''} end
    if r.now and guard ~= '' then
      local owner, writer = value(r, guard), incoming[guard]
      local admitted
      if not writer and unscoped then
        admitted = true
      elseif not owner then
        admitted = claim or not writer
      else
        admitted = writer ~= nil and canonical(owner) == canonical(writer)
      end
      if not admitted then return {'refused', ''} end
    end
    if r.now and how == '?' then
      asks[#asks + 1] = {i, version_of(r), fields(r)}
      return {'asked', ''}
    end
  end
  if how == '=' or not r.now then
    local answer = {how == '=' and 'written' or 'inserted', ''}
    for _, place in ipairs(places) do
      local x = t.x[tonumber(place.given)]
      if how ~= '=' or not incoming[place.column] then
        incoming[place.column] = position(r, x, incoming, incoming[place.column], i)
        answer[#answer + 1] = place.column
        answer[#answer + 1] = incoming[place.column]
      end
    end
    answer[2] = write(r, incoming, true, i)
    return answer, r
  end
  local set = {}
  local function decide(column, new)
    if value(r, column) ~= new then set[column] = new or false end
  end
  for _, rule in ipairs(rules) do
    local letter, new = rule.letter, incoming[rule.column]
    if letter == 'R' then
      decide(rule.column, new)
    elseif letter == 'S' then
      decide(rule.column, rule.given)
    elseif letter == 'D' then
      decide(rule.column, nil)
    elseif letter == 'F' then
      if new and not value(r, rule.column) then set[rule.column] = new end
    elseif new then
      decide(rule.column, new)
    end
  end
  for _, place in ipairs(places) do
    if not r.now[place.column] then
      set[place.column] = position(r, t.x[tonumber(place.given)], r.now, incoming[place.column], i)
    end
  end
  for _, column in ipairs(t.key) do
    if set[column] ~= nil and canonical(set[column]) ~= canonical(r.now[column]) then refuse('key', i, name) end
  end
  if not next(set) then return {'same', r.now['@']}, r end
  return {'written', write(r, set, false, i)}, r
end

local function put(i)
  local base, name, key, expect = KEYS[number()], take(), take(), take()
  local set = {}
  for n = 1, number() do
    local column = take()
    set[column] = take()
  end
  local r = row(base, name, key)
  if not holds(expect, r) then
    if expect == '-' then refuse('duplicate', i, name, '') end
    refuse('conflict', i, name)
  end
  return {'written', write(r, set, true, i)}
end

-- Whether this only prepares a commit that removes more than goes at once: all of it is looked at, so that what would be
-- refused is refused before anything is gone, and then only some of what cascades is removed.
local pruning = false
local pruned = {}

-- Some of what cascades from a row, the lowest first.
local function prune(r, i)
  -- What holds others back is declared after them.
  for n = #r.t.children, 1, -1 do
    local relation = r.t.children[n]
    if relation.cascade then
      for _, child in ipairs(below(r, relation)) do
        if #pruned >= MOST / 2 then return end
        prune(child, i)
        if #pruned >= MOST / 2 then return end
        if child.now then
          pruned[#pruned + 1] = child
          remove_alone(child, i)
        end
      end
    end
  end
end

local function flush_pruned()
  for _, r in ipairs(pruned) do
    -- The commit may write one of them anew.
    if r.dirty and not r.now then
      r.dirty = false
      settle(r)
      for _, u in ipairs(r.t.u) do
        local name, values = unique_key(r.base, r.t, u), r.before and unique_values(u, r.before)
        if values and redis.call('HGET', name, values) == r.key then redis.call('HDEL', name, values) end
      end
    end
  end
end

local function remove(i)
  local base, name, key, expect = KEYS[number()], take(), take(), take()
  local r = row(base, name, key)
  if not holds(expect, r) then refuse('conflict', i, name) end
  if not r.now then return {'absent', ''} end
  if pruning then
    prune(r, i)
    remove_alone(r, i)
  else
    doom(r, i)
  end
  return {'removed', ''}
end

local function check(i)
  local base, name, key, expect = KEYS[number()], take(), take(), take()
  if not holds(expect, row(base, name, key)) then refuse('conflict', i, name) end
  return {'checked', ''}
end

local DO = {put = put, remove = remove, check = check, upsert = upsert}

local function run()
  local mode = take()
  local wants_rows = mode == '1'
  pruning = mode == '2'
  local answers, found = {}, {}
  for i = 1, number() do
    answers[i], found[i] = DO[take()](i)
  end
  if #asks > 0 then return {'asks', asks} end
  check_relations()
  check_allowed()
  if pruning then
    flush_pruned()
    return {'done', {}}
  end
  flush()
  if wants_rows then
    for i, r in pairs(found) do
      if answers[i][1] ~= 'inserted' then answers[i] = {answers[i][1], answers[i][2], fields(r)} end
    end
  end
  return {'done', answers}
end

local fine, answer = pcall(run)
if fine then return answer end
if type(answer) == 'table' and answer.refused then return {'refused', answer.refused} end
if type(answer) == 'table' then return answer end
return redis.error_reply(tostring(answer))
