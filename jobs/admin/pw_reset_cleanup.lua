local job = core.job()

function job.run()
  core.users.flushExpiredPasswordResets()
  return job.OK
end

return job
