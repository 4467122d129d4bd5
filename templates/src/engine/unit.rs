mod includes;

use std::collections::{BTreeMap, BTreeSet};

use handlebars::Handlebars;
use serde_json::Value;

use super::{
    Engine, helpers,
    keys::{MAX_STEPS, Shape},
    prepare::{self, Prepared, Surroundings},
    problem::{Problem, TemplateFault},
    stack,
};

/// Most files one template may be made of.
const MAX_FILES: usize = 64;
/// How many bodies (files, blocks) may be inside each other, over all includes: the renderer recurses.
const MAX_DEPTH: usize = 64;
/// Up to which depth rendering is done on the caller's own stack.
const SHALLOW: usize = 12;
/// Largest template text.
pub(crate) const MAX_SOURCE: usize = 256 * 1024;
/// Most text that one template may be made of.
const MAX_TOTAL: usize = 1024 * 1024;
/// Most keys that are listed: a file of many keys that is included under many names would have more.
const MAX_KEYS: usize = 20_000;

/// A template text.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) text: std::sync::Arc<str>,
}

/// Where templates come from.
pub(crate) trait Sources {
    /// Tells one state of a file from another.
    type Stamp;

    /// The live text of a full path such as `templates/password/email.tpl`.
    fn source(&self, path: &str) -> Result<Option<Source>, Problem>;

    /// The state of a path, whether there is a file or not.
    fn stamp(&self, path: &str) -> Self::Stamp;

    /// The full path of `name` as written in `from`, or `None` when no path is safe.
    fn resolve(&self, from: &str, name: &str) -> Option<String>;

    /// Whether no one waits for the template any more.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// The states of all files a compilation looked at, found or not.
pub(crate) type Stamps<S> = Vec<(String, S)>;

/// A template with all it includes, compiled.
pub struct Unit {
    pub(super) registry: Handlebars<'static>,
    pub(super) root: String,
    keys: Shape,
    loops: bool,
    /// How many bodies lie inside each other, over all includes.
    depth: usize,
    warnings: Vec<Problem>,
}

impl std::fmt::Debug for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unit")
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

impl Unit {
    /// Compiles the template at `root` for an engine. The second part of the answer names every file that was looked at, with its
    /// state: a later look that finds the same states would come to the same result.
    pub(crate) fn compile<S: Sources + Sync>(
        root: &str,
        engine: Engine,
        sources: &S,
    ) -> (Result<Self, TemplateFault>, Stamps<S::Stamp>)
    where
        S::Stamp: Send,
    {
        stack::with_room(|| Self::compile_here(root, engine, sources)).unwrap_or_else(|| {
            let fault = TemplateFault::TooMuch {
                file: root.to_owned(),
                limit: "the server could not read it now".to_owned(),
            };
            (Err(fault), Vec::new())
        })
    }

    fn compile_here<S: Sources>(
        root: &str,
        engine: Engine,
        sources: &S,
    ) -> (Result<Self, TemplateFault>, Stamps<S::Stamp>) {
        let mut collector = Collector {
            root,
            sources,
            engine,
            files: BTreeMap::new(),
            bytes: 0,
            stamps: Vec::new(),
            depth: 0,
        };
        let checked = collector
            .load(root, None)
            .and_then(|()| collector.check_inlines())
            .and_then(|()| collector.check_places())
            .and_then(|()| collector.check_depth());
        let stamps = std::mem::take(&mut collector.stamps);
        (checked.map(|()| Self::assemble(collector)), stamps)
    }

    fn assemble<S: Sources>(collector: Collector<'_, S>) -> Self {
        let keys = collector.keys();
        let loops = collector.files.values().any(|file| file.loops);
        let mut registry = Handlebars::new();
        registry.set_strict_mode(true);
        registry.register_escape_fn(handlebars::no_escape);
        helpers::register(&mut registry);
        let mut warnings = Vec::new();
        for (path, file) in collector.files {
            warnings.extend(file.warnings);
            registry.register_template(&path, file.template);
        }
        Self {
            registry,
            root: collector.root.to_owned(),
            keys,
            loops,
            depth: collector.depth,
            warnings,
        }
    }

    /// Whether the template writes `key`, a key of the top level, somewhere.
    pub fn writes(&self, key: &str) -> bool {
        self.keys.get(key).is_some_and(|shape| shape.written)
    }

    /// What works and may come out otherwise than it was meant, in all files the template is made of.
    pub(crate) fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// Data with every key the template uses.
    pub fn sample(&self) -> Value {
        self.keys.sample()
    }

    /// Whether rendering needs a stack of its own.
    pub(super) fn is_deep(&self) -> bool {
        self.depth > SHALLOW
    }

    /// Whether rendering may take long: a template without loops is done in microseconds.
    pub(crate) fn loops(&self) -> bool {
        self.loops
    }
}

struct Collector<'a, S: Sources> {
    root: &'a str,
    sources: &'a S,
    engine: Engine,
    files: BTreeMap<String, Prepared>,
    /// The length of all files that were read.
    bytes: usize,
    stamps: Vec<(String, S::Stamp)>,
    depth: usize,
}

impl<S: Sources> Collector<'_, S> {
    /// Reads a file and, not deeper than the number of files allows, those it includes.
    fn load(&mut self, root: &str, by: Option<Problem>) -> Result<(), TemplateFault> {
        let mut wanted = vec![(root.to_owned(), by)];
        while let Some((path, by)) = wanted.pop() {
            if self.files.contains_key(&path) {
                continue;
            }
            if self.files.len() >= MAX_FILES {
                return Err(self.too_much(format!("more than {MAX_FILES} files are included")));
            }
            let prepared = self.read(&path, by)?;
            for include in prepared.includes.iter().filter(|include| include.is_file) {
                let by = Problem::new(&path, include.place, format!("`{}` is not there.", include.name));
                wanted.push((include.name.clone(), Some(by)));
            }
            self.files.insert(path, prepared);
        }
        Ok(())
    }

    fn read(&mut self, path: &str, by: Option<Problem>) -> Result<Prepared, TemplateFault> {
        // The state before the reading: a change in between is then seen as one.
        self.stamps.push((path.to_owned(), self.sources.stamp(path)));
        let broken = |problem| TemplateFault::Broken(vec![problem]);
        let Some(source) = self.sources.source(path).map_err(broken)? else {
            return Err(TemplateFault::Missing {
                file: path.to_owned(),
                by,
            });
        };
        if source.text.len() > MAX_SOURCE {
            return Err(self.too_much(format!("{path} is larger than {MAX_SOURCE} bytes")));
        }
        // A draft may begin with a byte order mark; texts of the layers never do.
        let text = coronet_core::text::without_byte_order_mark(&source.text);
        self.bytes += text.len();
        if self.bytes > MAX_TOTAL {
            return Err(self.too_much(format!(
                "the included files are larger than {MAX_TOTAL} bytes together"
            )));
        }
        let surroundings = Surroundings {
            engine: self.engine,
            by_code: self.root.starts_with("pages/") || Engine::of(self.root) != self.engine,
            resolve: &|name: &str| self.sources.resolve(path, name),
            is_cancelled: &|| self.sources.is_cancelled(),
        };
        let prepared = prepare::prepare(path, text, surroundings);
        if self.sources.is_cancelled() {
            return Err(self.too_much("no one waits for it any more".to_owned()));
        }
        prepared.map_err(TemplateFault::Broken)
    }

    /// A name without an ending is that of an inline partial, defined in one of the files.
    fn check_inlines(&self) -> Result<(), TemplateFault> {
        let defined: BTreeSet<&String> = self.files.values().flat_map(|file| &file.inlines).collect();
        for (path, file) in &self.files {
            let unknown = file
                .includes
                .iter()
                .find(|i| !i.is_file && !defined.contains(&i.name));
            if let Some(include) = unknown {
                let message = format!(
                    "There is no inline partial `{}`. To include a file, write its whole name, such as `{}.tpl`.",
                    include.name, include.name
                );
                return Err(TemplateFault::Broken(vec![Problem::new(
                    path,
                    include.place,
                    message,
                )]));
            }
        }
        Ok(())
    }

    /// The keys of the root file, with those of the files it includes where their data starts.
    fn keys(&self) -> Shape {
        let mut keys = Shape::default();
        let mut wanted = vec![(self.root.to_owned(), Vec::new(), BTreeSet::new(), 0)];
        let mut taken = 0;
        let mut listed = 0;
        while let Some((path, base, given, depth)) = wanted.pop() {
            // Two includes of one file at each of sixteen levels would be 65,536 ways to it.
            taken += 1;
            if taken > MAX_FILES * 4 {
                break;
            }
            let Some(file) = self.files.get(&path) else {
                continue;
            };
            listed += file.keys.size();
            if listed > MAX_KEYS {
                break;
            }
            keys.absorb(&base, &file.keys, &given);
            for include in file
                .includes
                .iter()
                .filter(|include| include.is_file && depth < MAX_DEPTH)
            {
                if let Some(below) = &include.base
                    && base.len() + below.len() <= MAX_STEPS
                {
                    let base = base.iter().chain(below).cloned().collect();
                    wanted.push((include.name.clone(), base, include.given.clone(), depth + 1));
                }
            }
        }
        keys
    }

    fn too_much(&self, limit: String) -> TemplateFault {
        TemplateFault::TooMuch {
            file: self.root.to_owned(),
            limit,
        }
    }
}
