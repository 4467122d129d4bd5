local job = core.job()

-- Removes the runs that are more or older than Settings -> Retention keeps.
function job.run()
  local removed, err = core.jobs.removeOldRuns()
  if not removed then error(err) end
  core.log(`{removed} runs were removed`)
  return job.OK
end

return job
