use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use coronet_core::db::Dialect;
use coronet_core::lua::LuaPool;
use coronet_core::{Code, Core, Error, Result};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use crate::compiled::Compiled;
use crate::engine::{Engine, TemplateFault, Unit};
use crate::failing::{Failing, Failure};
use crate::resources::{Layer, Layers, ResourcePath, Stamp, check, files::Files, store};
use crate::{functions, pages, resources, shipped};

/// How long a server may not notice what another server on the same database has edited.
const POLL: Duration = Duration::from_secs(1);

/// Most files of code whose state is remembered.
const MAX_FAULTS: usize = 5000;

/// The Templates service: resources, rendering and, in `pages`, the page runtime.
pub struct Templates {
    pub(crate) core: Core,
    pub(crate) layers: Arc<Layers>,
    compiled: Compiled,
    failing: Failing,
    /// Where page code is tried.
    pub(crate) rehearsals: LuaPool,
    /// What is wrong with code that lies in files, as long as the file is the same.
    code_faults: RwLock<HashMap<ResourcePath, (Stamp, Option<String>)>>,
    poll: Mutex<Poll>,
}

#[derive(Debug)]
struct Poll {
    checked: Instant,
    counter: i64,
}

impl Templates {
    /// Starts the service: adds what it ships, reads what was edited, and registers its functions.
    ///
    /// # Errors
    /// When the database cannot be read, or a function's name is taken.
    pub async fn start(core: &Core) -> Result<Arc<Self>> {
        shipped::contribute(&core.contributions);
        let layers = Arc::new(Layers::new(
            Files::new(&core.config.home),
            core.contributions.clone(),
        ));
        let templates = Arc::new(Self {
            core: core.clone(),
            compiled: Compiled::new(Arc::clone(&layers)),
            failing: Failing::default(),
            rehearsals: pages::preview::pool(core),
            code_faults: RwLock::default(),
            layers,
            poll: Mutex::new(Poll {
                checked: Instant::now(),
                counter: store::counter(&core.db).await?,
            }),
        });
        templates.layers.set_all_edited(store::all(&core.db).await?);
        core.functions
            .add("core", resources::functions::all(&templates))?;
        core.functions.add("core", functions::all(&templates))?;
        Ok(templates)
    }

    /// Fills a template with data. HTML or text is decided by the template's name.
    ///
    /// # Errors
    /// `NotFound` without such a template; `Unprocessable` when it is wrong or the data does not fit it.
    pub async fn render(self: &Arc<Self>, path: &ResourcePath, data: Map<String, Value>) -> Result<String> {
        let rendered = self.fill(path, Engine::of(path.as_str()), data).await;
        self.used(path, &rendered);
        rendered
    }

    /// Fills a template with data, as an operator who only tries it.
    pub(crate) async fn fill(
        self: &Arc<Self>,
        path: &ResourcePath,
        engine: Engine,
        data: Map<String, Value>,
    ) -> Result<String> {
        let unit = self.unit(path, engine).await?;
        let data = Value::Object(data);
        if !unit.loops() {
            return Ok(unit.render(&data)?);
        }
        // Only a loop can make rendering long.
        let rendered = tokio::task::spawn_blocking(move || unit.render(&data)).await;
        Ok(rendered.map_err(Error::unexpected)??)
    }

    /// Fills a mail: its text, and its HTML when there is a template for it.
    ///
    /// The shipped HTML belongs to the shipped text: who replaces `email.tpl` and not `email.html.tpl` gets a mail of
    /// text only, and not one whose HTML says something else.
    ///
    /// # Errors
    /// See [`Self::render`].
    pub async fn render_mail(
        self: &Arc<Self>,
        path: &ResourcePath,
        data: Map<String, Value>,
    ) -> Result<(String, Option<String>)> {
        let html = self.html_part(path);
        let Some(html) = html else {
            return Ok((self.render(path, data).await?, None));
        };
        let text = self.render(path, data.clone()).await?;
        Ok((text, Some(self.render(&html, data).await?)))
    }

    /// Notes whether using a template succeeded.
    pub(crate) fn used<T>(&self, path: &ResourcePath, result: &Result<T>) {
        let now = self.core.clock.now_ms();
        self.failing.note(&self.layers, path, result, now);
    }

    /// The templates that fail when they are used, as far as this server saw.
    pub(crate) fn failures(&self) -> Vec<Failure> {
        self.failing.list(&self.layers)
    }

    /// The compiled template, checked for what its folder asks of it.
    async fn unit(self: &Arc<Self>, path: &ResourcePath, engine: Engine) -> Result<Arc<Unit>> {
        self.refresh().await?;
        let key = (path.clone(), engine);
        let unit = match self.compiled.fresh(&key) {
            Some(unit) => unit?,
            None => {
                let this = Arc::clone(self);
                let compile = move || this.compiled.get(&key);
                tokio::task::spawn_blocking(compile)
                    .await
                    .map_err(Error::unexpected)??
            }
        };
        match check::missing_link(path, &unit) {
            Some(fault) => Err(fault.into()),
            None => Ok(unit),
        }
    }

    /// As [`Self::unit`], for threads that may block.
    pub(crate) fn unit_blocking(
        &self,
        path: &ResourcePath,
        engine: Engine,
    ) -> Result<Arc<Unit>, TemplateFault> {
        self.compiled.get(&(path.clone(), engine))
    }

    /// Notices what another server has edited. On SQLite there is no other server.
    pub(crate) async fn refresh(&self) -> Result<()> {
        if self.core.db.dialect() == Dialect::Sqlite || !self.poll_is_due() {
            return Ok(());
        }
        self.refresh_now().await
    }

    /// As [`Self::refresh`], however short ago that was: what was made a moment ago on another server is there, too.
    pub(crate) async fn refresh_now(&self) -> Result<()> {
        let counter = store::counter(&self.core.db).await?;
        if counter != self.lock_poll().counter {
            self.layers.set_all_edited(store::all(&self.core.db).await?);
            self.lock_poll().counter = counter;
        }
        Ok(())
    }

    /// What is wrong with the live text of a template that lies in a file or was edited.
    pub(crate) fn problem(&self, path: &ResourcePath, layer: Layer) -> Option<String> {
        if layer == Layer::Shipped {
            return None;
        }
        if path.is_template() {
            return self.compiled.fault(path).map(|fault| fault.to_string());
        }
        (layer == Layer::File && path.extension() == "lua")
            .then(|| self.code_fault(path))
            .flatten()
    }

    /// What is wrong with code that lies in a file. The file is read only when it changed.
    fn code_fault(&self, path: &ResourcePath) -> Option<String> {
        let stamp = self.layers.stamp(path);
        let known = self.code_faults.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, fault)) = known.get(path).filter(|(seen, _)| *seen == stamp) {
            return fault.clone();
        }
        drop(known);
        let fault = match self.layers.live(path) {
            Ok(Some(live)) => check::check(&self.layers, path, &live.text, &CancellationToken::new())
                .err()
                .map(|error| error.message().to_owned()),
            Ok(None) => None,
            Err(fault) => Some(format!("The file cannot be used: {fault}.")),
        };
        let mut known = self.code_faults.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_FAULTS {
            known.clear();
        }
        known.insert(path.clone(), (stamp, fault.clone()));
        fault
    }

    /// The text that is live.
    ///
    /// # Errors
    /// `NotFound` when no layer has the path; `Unprocessable` when its file cannot be used.
    pub(crate) async fn live_text(self: &Arc<Self>, path: &ResourcePath) -> Result<String> {
        let (this, path) = (Arc::clone(self), path.clone());
        let read = move || functions::live_text(&this, &path);
        tokio::task::spawn_blocking(read)
            .await
            .map_err(Error::unexpected)?
    }

    pub(crate) fn html_part(&self, path: &ResourcePath) -> Option<ResourcePath> {
        let html = path.html_sibling()?;
        let own = *self.layers.present(path).first()?;
        let its = *self.layers.present(&html).first()?;
        (its != Layer::Shipped || own == Layer::Shipped).then_some(html)
    }

    fn poll_is_due(&self) -> bool {
        let mut poll = self.lock_poll();
        let due = poll.checked.elapsed() >= POLL;
        if due {
            poll.checked = Instant::now();
        }
        due
    }

    fn lock_poll(&self) -> std::sync::MutexGuard<'_, Poll> {
        self.poll.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<TemplateFault> for Error {
    fn from(fault: TemplateFault) -> Self {
        let code = match &fault {
            TemplateFault::Missing { by: None, .. } => Code::NotFound,
            _ => Code::Unprocessable,
        };
        Error::new(code, sentence(&fault)).with_details(json!({ "problems": fault.problems() }))
    }
}

fn sentence(fault: &TemplateFault) -> String {
    match fault {
        TemplateFault::Missing { file, by: None } => format!("There is no template {file}."),
        other => other.to_string(),
    }
}
