//! What must hold of files that include each other.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{
    Place,
    problem::{Problem, TemplateFault},
};
use super::{Collector, MAX_DEPTH, Sources};

impl<S: Sources> Collector<'_, S> {
    /// An included file was read as if it began between tags. Elsewhere its values would be escaped for the wrong
    /// place (M06), so there it may write none; and it must end between tags for what follows it.
    pub(super) fn check_places(&self) -> Result<(), TemplateFault> {
        let values = self.files_with_values();
        for (path, file) in &self.files {
            for include in &file.includes {
                let included = self.files.get(&include.name);
                // What an inline partial writes is not followed up.
                let may_write_values = included.is_none() || values.contains(include.name.as_str());
                let message = if !include.between_tags && may_write_values {
                    "Inside a tag or a script only files without values can be included. Write the values here."
                } else if included.is_some_and(|file| !file.ends_between_tags) {
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

    /// The files that, or whose includes at any depth, write a value.
    fn files_with_values(&self) -> BTreeSet<&str> {
        let mut includers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut wanted = Vec::new();
        for (path, file) in &self.files {
            for include in &file.includes {
                includers.entry(&include.name).or_default().push(path);
            }
            if file.values
                || file
                    .includes
                    .iter()
                    .any(|include| !self.files.contains_key(&include.name))
            {
                wanted.push(path.as_str());
            }
        }
        let mut found = BTreeSet::new();
        while let Some(path) = wanted.pop() {
            if found.insert(path) {
                wanted.extend(includers.get(path).into_iter().flatten().copied());
            }
        }
        found
    }

    /// Follows every chain of includes. A chain that comes back to itself would end in a stack overflow, which ends
    /// the process; handlebars itself only notices a file that includes itself directly (M08).
    ///
    /// Files and inline partials are told apart by name only, as an inline partial is visible in whatever is included
    /// below it. That may refuse what would just end well, and lets nothing through that does not.
    pub(super) fn check_depth(&mut self) -> Result<(), TemplateFault> {
        let mut graph: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (path, file) in &self.files {
            for (from, to) in &file.edges {
                graph
                    .entry(from.as_deref().unwrap_or(path))
                    .or_default()
                    .insert(to);
            }
        }
        let own_depths = self.own_depths();
        let mut depths: BTreeMap<&str, usize> = BTreeMap::new();
        let mut on_trail: BTreeSet<&str> = BTreeSet::new();
        graph.entry(self.root).or_default();
        let mut trail: Vec<(&str, Vec<&str>)> = Vec::new();
        let starts: Vec<&str> = graph.keys().copied().collect();
        for start in starts {
            if depths.contains_key(start) {
                continue;
            }
            trail.push((start, graph[start].iter().copied().collect()));
            on_trail.insert(start);
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
                    let own = own_depths.get(node).copied().unwrap_or(1);
                    depths.insert(node, own + below);
                    on_trail.remove(node);
                    trail.pop();
                    continue;
                };
                if on_trail.contains(next) {
                    return Err(self.cycle(node, next));
                }
                if !depths.contains_key(next) {
                    let further = graph.get(next).into_iter().flatten().copied().collect();
                    trail.push((next, further));
                    on_trail.insert(next);
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

    /// How many bodies lie inside each other in each file; in an inline partial, as many as in its file.
    fn own_depths(&self) -> BTreeMap<&str, usize> {
        let mut depths: BTreeMap<&str, usize> = BTreeMap::new();
        for file in self.files.values() {
            for inline in &file.inlines {
                let depth = depths.entry(inline).or_default();
                *depth = file.depth.max(*depth);
            }
        }
        depths.extend(self.files.iter().map(|(path, file)| (path.as_str(), file.depth)));
        depths
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
        let (path, place) = place.unwrap_or((&root, Place::START));
        let message =
            format!("Including `{to}` here never ends: it includes, directly or not, what includes it.");
        TemplateFault::Broken(vec![Problem::new(path, place, message)])
    }
}
