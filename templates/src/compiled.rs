//! Compiled templates, kept until one of their files changes.
//!
//! A rendering costs a look into memory and one `stat` for each file of the home it is made of: no reading, no
//! parsing. A template that breaks while the server runs keeps its last good form, and the error is logged.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use tokio_util::sync::CancellationToken;

use crate::engine::{Engine, Place, Problem, Source, Sources, TemplateFault, Unit};
use crate::resources::{Layers, ResourcePath, Stamp};

/// Most templates kept; more than any installation has, and an end to what a flood of names could fill.
const MAX_KEPT: usize = 2000;

/// A template that was compiled, or could not be.
#[derive(Debug, Clone)]
struct Kept {
    /// The last form that compiled.
    unit: Option<Arc<Unit>>,
    /// Why the newest form does not, if so.
    fault: Option<TemplateFault>,
    /// The states of all files the newest form was read from.
    stamps: Arc<Vec<(String, Stamp)>>,
}

/// A template, and the engine it is compiled for: code may have a template for text filled as HTML.
type Key = (ResourcePath, Engine);

/// The compiled templates of a server.
#[derive(Debug)]
pub(crate) struct Compiled {
    layers: Arc<Layers>,
    kept: RwLock<HashMap<Key, Kept>>,
}

impl Compiled {
    pub(crate) fn new(layers: Arc<Layers>) -> Self {
        Self {
            layers,
            kept: RwLock::default(),
        }
    }

    /// The template if it is known in its newest form: nothing is read or compiled.
    pub(crate) fn fresh(&self, key: &Key) -> Option<Result<Arc<Unit>, TemplateFault>> {
        let kept = self.known(key)?;
        self.is_fresh(&kept).then(|| answer(&kept))
    }

    /// The template, compiled in its newest form that can be.
    ///
    /// # Errors
    /// When it is not there, or is wrong and was never right since the server started.
    pub(crate) fn get(&self, key: &Key) -> Result<Arc<Unit>, TemplateFault> {
        let known = self.known(key);
        if let Some(kept) = &known
            && self.is_fresh(kept)
        {
            return answer(kept);
        }
        let (outcome, stamps) = compile(&self.layers, key);
        let kept = match outcome {
            Ok(unit) => Kept {
                unit: Some(Arc::new(unit)),
                fault: None,
                stamps,
            },
            Err(fault) => self.kept_in_spite_of(&key.0, known, fault, stamps),
        };
        let mut all = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MAX_KEPT && !all.contains_key(key) {
            all.clear();
        }
        all.insert(key.clone(), kept.clone());
        answer(&kept)
    }

    /// What is wrong with the newest form of a template, also when an older one is serving.
    pub(crate) fn fault(&self, path: &ResourcePath) -> Option<TemplateFault> {
        let key = (path.clone(), Engine::of(path.as_str()));
        if let Err(fault) = self.get(&key) {
            return Some(fault);
        }
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.get(&key).and_then(|kept| kept.fault.clone())
    }

    fn known(&self, key: &Key) -> Option<Kept> {
        self.kept
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(key)
            .cloned()
    }

    fn is_fresh(&self, kept: &Kept) -> bool {
        kept.stamps.iter().all(|(path, stamp)| {
            ResourcePath::parse(path).is_some_and(|path| self.layers.stamp(&path) == *stamp)
        })
    }

    fn kept_in_spite_of(
        &self,
        path: &ResourcePath,
        known: Option<Kept>,
        fault: TemplateFault,
        stamps: Arc<Vec<(String, Stamp)>>,
    ) -> Kept {
        // A template that is gone is gone; one that is broken goes on in its last good form.
        let gone = matches!(&fault, TemplateFault::Missing { by: None, .. });
        let unit = known.and_then(|kept| kept.unit).filter(|_| !gone);
        if unit.is_some() {
            tracing::error!(%path, %fault, "a template is broken; its last good form goes on serving");
        }
        Kept {
            unit,
            fault: Some(fault),
            stamps,
        }
    }
}

/// Texts that are looked at as if they were live.
pub(crate) struct Drafts<'a> {
    /// By their whole paths.
    pub(crate) texts: BTreeMap<&'a str, &'a str>,
    /// Ends the work when no one waits for it any more.
    pub(crate) cancelled: &'a CancellationToken,
}

impl<'a> Drafts<'a> {
    /// One text as if it were live at `path`.
    pub(crate) fn one(path: &'a ResourcePath, text: &'a str, cancelled: &'a CancellationToken) -> Self {
        Self {
            texts: BTreeMap::from([(path.as_str(), text)]),
            cancelled,
        }
    }
}

/// Compiles a text as if it were live at `path`, to see whether it may be saved.
pub(crate) fn check(
    layers: &Layers,
    path: &ResourcePath,
    text: &str,
    cancelled: &CancellationToken,
) -> Result<Unit, TemplateFault> {
    check_among(layers, &Drafts::one(path, text, cancelled), path).0
}

/// Compiles the draft at `path` as if all drafts were live. Also gives the paths of all texts that it is made of.
pub(crate) fn check_among(
    layers: &Layers,
    drafts: &Drafts<'_>,
    path: &ResourcePath,
) -> (Result<Unit, TemplateFault>, Vec<String>) {
    let (unit, looked_at) = Unit::compile(
        path.as_str(),
        Engine::of(path.as_str()),
        &WithDrafts { layers, drafts },
    );
    (unit, looked_at.into_iter().map(|(path, ())| path).collect())
}

fn answer(kept: &Kept) -> Result<Arc<Unit>, TemplateFault> {
    match (&kept.unit, &kept.fault) {
        (Some(unit), _) => Ok(Arc::clone(unit)),
        (None, Some(fault)) => Err(fault.clone()),
        (None, None) => Err(TemplateFault::Missing {
            file: String::new(),
            by: None,
        }),
    }
}

type Outcome = (Result<Unit, TemplateFault>, Arc<Vec<(String, Stamp)>>);

fn compile(layers: &Layers, (path, engine): &Key) -> Outcome {
    let (unit, stamps) = Unit::compile(path.as_str(), *engine, layers);
    (unit, Arc::new(stamps))
}

impl Sources for Layers {
    type Stamp = Stamp;

    fn source(&self, path: &str) -> Result<Option<Source>, Problem> {
        let Some(resource) = ResourcePath::parse(path) else {
            return Ok(None);
        };
        let unreadable =
            |fault| Problem::new(path, Place::START, format!("The file cannot be used: {fault}."));
        let live = self.live(&resource).map_err(unreadable)?;
        Ok(live.map(|live| Source { text: live.text }))
    }

    fn stamp(&self, path: &str) -> Stamp {
        ResourcePath::parse(path).map_or(Stamp::Absent, |path| Layers::stamp(self, &path))
    }

    /// Includes of a page are looked for among pages first; all others, as in mail, below `templates/`.
    fn resolve(&self, from: &str, name: &str) -> Option<String> {
        resolve(from, name, |path| Layers::stamp(self, path) != Stamp::Absent)
    }
}

fn resolve(from: &str, name: &str, is_there: impl Fn(&ResourcePath) -> bool) -> Option<String> {
    if from.starts_with("pages/") {
        let folder = from.rsplit_once('/').map_or("pages", |(folder, _)| folder);
        let beside = [folder, "pages"]
            .into_iter()
            .filter_map(|root| ResourcePath::parse(&format!("{root}/{name}")));
        if let Some(found) = beside.into_iter().find(|path| is_there(path)) {
            return Some(found.to_string());
        }
    }
    ResourcePath::below("templates", name)
        .filter(ResourcePath::is_template)
        .map(|path| path.to_string())
}

/// The layers with some texts replaced by drafts.
struct WithDrafts<'a> {
    layers: &'a Layers,
    drafts: &'a Drafts<'a>,
}

impl Sources for WithDrafts<'_> {
    type Stamp = ();

    fn source(&self, path: &str) -> Result<Option<Source>, Problem> {
        match self.drafts.texts.get(path) {
            Some(text) => Ok(Some(Source { text: (*text).into() })),
            None => Sources::source(self.layers, path),
        }
    }

    fn stamp(&self, _: &str) {}

    fn resolve(&self, from: &str, name: &str) -> Option<String> {
        resolve(from, name, |path| {
            self.drafts.texts.contains_key(path.as_str()) || Layers::stamp(self.layers, path) != Stamp::Absent
        })
    }

    fn is_cancelled(&self) -> bool {
        self.drafts.cancelled.is_cancelled()
    }
}
