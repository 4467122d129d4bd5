-- Makes what must be there before all else, and is done for good then: the job is set inactive.
local job = core.job()

local SCOPE = "My App"

function job.run()
  -- Run it twice, and nothing happens the second time: first look, then make.
  local scope, err, code = core.scopes.get(SCOPE)
  if scope then
    core.log("the scope is there already:", SCOPE)
    return job.EXIT
  end
  -- 1004: there is no such scope. Anything else is a failure, and tried again.
  if code ~= 1004 then
    error(err)
  end
  local made, why = core.scopes.create(SCOPE)
  if not made then
    error("the scope could not be made: " .. why)
  end
  core.log("made the scope", SCOPE)
  return job.EXIT
end

return job
