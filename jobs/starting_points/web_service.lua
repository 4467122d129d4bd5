-- Calls a web service. Its host must be on the list of hosts that job code may call, see the settings.
local job = core.job()

local ADDRESS = "https://api.example.com/v1/refresh"

function job.run()
  local answer, err = core.http.post(ADDRESS, {
    headers = { Authorization = "Bearer your-token" },
    json = { source = "coronet" },
    timeout = 10,
  })
  if not answer then
    -- No answer at all: the run fails, and is tried again.
    error("the service did not answer: " .. err)
  end
  if answer.status >= 500 then
    error("the service answered with status " .. answer.status)
  end
  if answer.status >= 400 then
    -- Asking again would not help: somebody has to look. The job is set inactive.
    core.log("the service refused this:", answer.status, answer.body)
    return job.EXIT
  end
  core.log("status", answer.status)
  return job.OK
end

return job
