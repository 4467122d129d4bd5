-- Mails a report of how jobs and mail do. For every Monday at seven: cron expression 0 7 * * 1.
local job = core.job()

local TO = "you@example.com"
local FROM = "coronet@example.com"

-- The figures, or an error that ends the run; it is tried again later.
local function must(result, err)
  if result == nil then error(err) end
  return result
end

function job.run()
  local jobs = must(core.jobs.overview())
  local mail = must(core.mail.stats())

  local lines = {
    "Jobs: " .. jobs.count .. ", of which " .. jobs.active .. " are active.",
    "Mail that waits: " .. mail.queued .. ", failed: " .. mail.failed .. ", bounced: " .. mail.bounced .. ".",
  }
  for _, failing in ipairs(jobs.failing) do
    table.insert(lines, "Failing: " .. failing.name)
  end

  must(core.email.new()
    :to(TO)
    :from(FROM)
    :subject("Coronet this week")
    :text(table.concat(lines, "\n") .. "\n")
    :send())
  core.log("report sent to", TO)
  return job.OK
end

return job
