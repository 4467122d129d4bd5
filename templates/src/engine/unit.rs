use std::collections::{BTreeMap, BTreeSet};

use handlebars::Handlebars;
use serde_json::Value;

use super::{
    Engine, helpers,
    keys::{MAX_STEPS, Shape},
    prepare::{self, Prepared},
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
}

impl std::fmt::Debug for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unit")
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

impl Unit {
    /// Compiles the template at `root`. The second part of the answer names every file that was looked at, with its
    /// state: a later look that finds the same states would come to the same result.
    pub(crate) fn compile<S: Sources + Sync>(
        root: &str,
        sources: &S,
    ) -> (Result<Self, TemplateFault>, Stamps<S::Stamp>)
    where
        S::Stamp: Send,
    {
        stack::with_room(|| Self::compile_here(root, sources)).unwrap_or_else(|| {
            let fault = TemplateFault::TooMuch {
                file: root.to_owned(),
                limit: "the server could not read it now".to_owned(),
            };
            (Err(fault), Vec::new())
        })
    }

    fn compile_here<S: Sources>(root: &str, sources: &S) -> (Result<Self, TemplateFault>, Stamps<S::Stamp>) {
        let mut collector = Collector {
            root,
            sources,
            engine: Engine::of(root),
            files: BTreeMap::new(),
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
        for (path, file) in collector.files {
            registry.register_template(&path, file.template);
        }
        Self {
            registry,
            root: collector.root.to_owned(),
            keys,
            loops,
            depth: collector.depth,
        }
    }

    /// Whether the template writes `key`, a key of the top level, somewhere.
    pub fn writes(&self, key: &str) -> bool {
        self.keys.get(key).is_some_and(|shape| shape.written)
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
        let resolve = |name: &str| self.sources.resolve(path, name);
        prepare::prepare(path, &source.text, self.engine, &resolve).map_err(TemplateFault::Broken)
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

    /// An included file was read as if it began between tags. Elsewhere its values would be escaped for the wrong
    /// place (M06), so there it may write none; and it must end between tags for what follows it.
    fn check_places(&self) -> Result<(), TemplateFault> {
        for (path, file) in &self.files {
            for include in &file.includes {
                let message = if !include.between_tags && self.may_write_values(&include.name) {
                    "Inside a tag or a script only files without values can be included. Write the values here."
                } else if self
                    .files
                    .get(&include.name)
                    .is_some_and(|file| !file.ends_between_tags)
                {
                    "The included file ends inside a tag or a script. Let it end after the tag."
                } else {
                    continue;
                };
                return Err(TemplateFault::Broken(vec![Problem::new(
                    path,
                    include.place,
                    message,
                )]));
            }
        }
        Ok(())
    }

    /// Whether a file, or what it includes, writes any value. Of inline partials it is not followed up.
    fn may_write_values(&self, root: &str) -> bool {
        let mut seen = BTreeSet::new();
        let mut wanted = vec![root];
        while let Some(name) = wanted.pop() {
            match self.files.get(name) {
                Some(file) if !file.values && seen.insert(name) => {
                    wanted.extend(file.includes.iter().map(|include| include.name.as_str()));
                }
                Some(file) if !file.values => {}
                _ => return true,
            }
        }
        false
    }

    /// Follows every chain of includes. A chain that comes back to itself would end in a stack overflow, which ends
    /// the process; handlebars itself only notices a file that includes itself directly (M08).
    ///
    /// Files and inline partials are told apart by name only, as an inline partial is visible in whatever is included
    /// below it. That may refuse what would just end well, and lets nothing through that does not.
    fn check_depth(&mut self) -> Result<(), TemplateFault> {
        let mut graph: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (path, file) in &self.files {
            for (from, to) in &file.edges {
                graph
                    .entry(from.as_deref().unwrap_or(path))
                    .or_default()
                    .insert(to);
            }
        }
        let mut depths: BTreeMap<&str, usize> = BTreeMap::new();
        graph.entry(self.root).or_default();
        let mut trail: Vec<(&str, Vec<&str>)> = Vec::new();
        let starts: Vec<&str> = graph.keys().copied().collect();
        for start in starts {
            if depths.contains_key(start) {
                continue;
            }
            trail.push((start, graph[start].iter().copied().collect()));
            while let Some((node, pending)) = trail.last_mut() {
                let node = *node;
                let Some(next) = pending.pop() else {
                    let below = graph
                        .get(node)
                        .into_iter()
                        .flatten()
                        .filter_map(|to| depths.get(to))
                        .max();
                    let below = below.copied().unwrap_or_default();
                    depths.insert(node, self.own_depth(node) + below);
                    trail.pop();
                    continue;
                };
                if trail.iter().any(|(on_trail, _)| *on_trail == next) {
                    return Err(self.cycle(node, next));
                }
                if !depths.contains_key(next) {
                    let further = graph.get(next).into_iter().flatten().copied().collect();
                    trail.push((next, further));
                }
            }
        }
        let deepest = depths.values().max().copied().unwrap_or_default();
        if deepest > MAX_DEPTH {
            return Err(self.too_much(format!("includes and blocks go deeper than {MAX_DEPTH}")));
        }
        self.depth = deepest;
        Ok(())
    }

    fn own_depth(&self, node: &str) -> usize {
        let defines = |file: &&Prepared| file.inlines.contains(node);
        match self.files.get(node) {
            Some(file) => file.depth,
            None => self
                .files
                .values()
                .filter(defines)
                .map(|file| file.depth)
                .max()
                .unwrap_or(1),
        }
    }

    fn cycle(&self, from: &str, to: &str) -> TemplateFault {
        let root = self.root.to_owned();
        let place = self.files.iter().find_map(|(path, file)| {
            let edge = file
                .edges
                .iter()
                .any(|(node, name)| node.as_deref().unwrap_or(path) == from && name == to);
            let include = file.includes.iter().find(|include| include.name == to);
            include.filter(|_| edge).map(|include| (path, include.place))
        });
        let (path, place) = place.unwrap_or((&root, super::Place::START));
        let message =
            format!("Including `{to}` here never ends: it includes, directly or not, what includes it.");
        TemplateFault::Broken(vec![Problem::new(path, place, message)])
    }

    /// The keys of the root file, with those of the files it includes where their data starts.
    fn keys(&self) -> Shape {
        let mut keys = Shape::default();
        let mut wanted = vec![(self.root.to_owned(), Vec::new(), 0)];
        let mut taken = 0;
        while let Some((path, base, depth)) = wanted.pop() {
            // Two includes of one file at each of sixteen levels would be 65,536 ways to it.
            taken += 1;
            if taken > MAX_FILES * 4 {
                break;
            }
            let Some(file) = self.files.get(&path) else {
                continue;
            };
            keys.absorb(&base, &file.keys);
            for include in file
                .includes
                .iter()
                .filter(|include| include.is_file && depth < MAX_DEPTH)
            {
                if let Some(below) = &include.base
                    && base.len() + below.len() <= MAX_STEPS
                {
                    let base = base.iter().chain(below).cloned().collect();
                    wanted.push((include.name.clone(), base, depth + 1));
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
