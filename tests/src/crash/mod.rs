//! Three servers on one PostgreSQL, of which one dies again and again, without warning, while jobs run every second. In
//! the end [`Account`] says whether every tick had its run.
//!
//! What the jobs append to is the audit log: each run makes one call that is entered there under the run's id, so that a
//! run of which only the row was written is told from one whose code really ran.

mod account;
mod dice;
mod store;

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::process::Signal;
use serde_json::json;

pub use account::Account;
use account::Beat;
use dice::Dice;
pub use dice::any_seed;

use crate::server::{Setup, TestServer};
use crate::store::Kind;
use store::{Database, Run};

const SERVERS: usize = 3;
/// A dead server's runs are taken over within 15 seconds: in four times that, every job has run again.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// What each run of a job does: a call that changes nothing and is entered in the audit log, and then so many seconds of
/// work.
fn code(work: f64) -> String {
    format!(
        "local job = core.job()\nfunction job.run()\n  \
           core.users.delete('usr_nobody')\n  \
           local start = os.clock()\n  while os.clock() - start < {work} do end\n  return job.OK\nend\nreturn job\n"
    )
}

/// Most jobs are done at once; two are at work for a good part of each second, so that deaths meet them.
const JOBS: [(&str, Beat, &str); 8] = [
    ("Quick cron 1", Beat::Cron, "quick.lua"),
    ("Quick cron 2", Beat::Cron, "quick.lua"),
    ("Quick cron 3", Beat::Cron, "quick.lua"),
    ("Quick interval 1", Beat::Interval, "quick.lua"),
    ("Quick interval 2", Beat::Interval, "quick.lua"),
    ("Quick interval 3", Beat::Interval, "quick.lua"),
    ("Busy cron", Beat::Cron, "busy.lua"),
    ("Busy interval", Beat::Interval, "busy.lua"),
];

/// How long the servers go on dying.
#[derive(Clone, Copy, Debug)]
pub enum Length {
    Kills(usize),
    Time(Duration),
}

impl Length {
    /// The longest time between a restart and the next death, in milliseconds: where there is time, jobs get back into
    /// their beat.
    fn longest_peace(self) -> u64 {
        match self {
            Self::Kills(_) => 2000,
            Self::Time(_) => 12_000,
        }
    }
}

/// Lets servers die, and gives the account; `None` without a PostgreSQL cluster. The seed decides who dies and when.
pub async fn run(length: Length, seed: u64) -> Option<Account> {
    let mut trio = Trio::start().await?;
    let mut dice = Dice::new(seed);
    let started = Instant::now();
    let mut kills = 0;
    while match length {
        Length::Kills(wanted) => kills < wanted,
        Length::Time(time) => started.elapsed() < time,
    } {
        tokio::time::sleep(Duration::from_millis(dice.below(length.longest_peace()))).await;
        // Every other death meets a run for certain.
        let victim = if kills % 2 == 0 {
            trio.server_at_work().await
        } else {
            usize::try_from(dice.below(SERVERS as u64)).expect("one of three")
        };
        trio.kill(victim).await;
        kills += 1;
    }
    trio.await_peace().await;
    Some(trio.account(seed).await)
}

struct Trio {
    servers: Vec<TestServer>,
    /// What the servers that live now are called in the database.
    lives: Vec<String>,
    /// When servers died, Unix milliseconds, by what they were called.
    deaths: HashMap<String, i64>,
    database: Database,
}

impl Trio {
    async fn start() -> Option<Self> {
        let first = Setup::new(Kind::Postgres).without_plugins().start().await?;
        let url = first.database.url.clone();
        let mut servers = vec![first];
        while servers.len() < SERVERS {
            let same = crate::store::Database::beside(&servers[0].database);
            let next = Setup::default().without_plugins().through(same);
            servers.push(next.start().await.expect("a server on a database that is there"));
        }
        let mut trio = Self {
            servers,
            lives: Vec::new(),
            deaths: HashMap::new(),
            database: Database::at(&url).await,
        };
        for server in 0..SERVERS {
            let life = trio.life_of(server).await;
            trio.lives.push(life);
        }
        trio.furnish().await;
        Some(trio)
    }

    async fn furnish(&self) {
        let server = &self.servers[0];
        // The account is drawn up from all runs.
        let kept = json!({"group": "retention", "changes": {"job_runs": 10_000}});
        server.operate("settings.update", kept).await;
        for (path, work) in [("quick.lua", 0.0), ("busy.lua", 0.3)] {
            let write = json!({"path": format!("jobs/{path}"), "text": code(work), "note": ""});
            server.operate("resources.write", write).await;
        }
        for (name, beat, path) in JOBS {
            let mut job = json!({"name": name, "path": path, "retries": 20});
            match beat {
                Beat::Cron => job["cron"] = json!("* * * * * *"),
                Beat::Interval => job["interval"] = json!(1),
            }
            server.operate("jobs.create", json!({"job": job})).await;
        }
    }

    /// What a server calls itself in the database: the latest that listens where it does.
    async fn life_of(&mut self, server: usize) -> String {
        let port = self.servers[server].address().port();
        let mut patience = Patience::new("a server to enter itself");
        loop {
            let found = self.database.server_at(port).await;
            if let Some(id) = found.filter(|id| !self.deaths.contains_key(id)) {
                return id;
            }
            patience.wait().await;
        }
    }

    /// One that has a run in progress at this moment.
    async fn server_at_work(&mut self) -> usize {
        let mut patience = Patience::new("a run in progress");
        loop {
            let at_work = self.database.at_work().await;
            // What the dead had in progress stays there until it is taken over.
            if let Some(server) = self.lives.iter().position(|life| at_work.contains(life)) {
                return server;
            }
            patience.wait().await;
        }
    }

    /// The process is gone between two instructions, and another takes its place.
    async fn kill(&mut self, victim: usize) {
        self.deaths.insert(self.lives[victim].clone(), now_ms());
        self.servers[victim].signal(Signal::KILL);
        self.servers[victim].kill().await;
        self.servers[victim].restart().await;
        self.lives[victim] = self.life_of(victim).await;
    }

    /// Waits until every job has run again after the last death.
    async fn await_peace(&mut self) {
        let last = self.deaths.values().max().copied().unwrap_or_default();
        let mut patience = Patience::new("every job to run again");
        loop {
            let names = self.database.silent_since(last).await;
            if names.is_empty() {
                return;
            }
            patience.wait().await;
        }
    }

    async fn account(&mut self, seed: u64) -> Account {
        let mut account = Account::new(seed, self.deaths.clone());
        let mut runs: HashMap<&str, Vec<Run>> = HashMap::new();
        for (name, _, _) in JOBS {
            runs.insert(name, self.database.runs_of(name).await);
        }
        // After the runs, so that the entries of all that have ended are there.
        let ledger = self.database.ledger().await;
        for (name, beat, _) in JOBS {
            account.take(name, beat, &runs[name], &ledger);
        }
        account
    }
}

/// Looks again and again, and gives up loudly.
struct Patience {
    what: &'static str,
    since: Instant,
}

impl Patience {
    fn new(what: &'static str) -> Self {
        Self {
            what,
            since: Instant::now(),
        }
    }

    async fn wait(&mut self) {
        assert!(
            self.since.elapsed() < PATIENCE,
            "waited for {} in vain",
            self.what
        );
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the deaths are held against what servers with the machine's clock wrote"
)]
fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(now.expect("a clock after 1970").as_millis()).expect("this age")
}
