//! Included files: `{(footer.tpl)}`, and `{(footer.tpl, {a = 1})}`, which also gives the file its data.

use super::super::{Engine, lua_table, problem::quote};
use super::{Tag, Translator};

/// Longest inside of an include; a path has at most 240 characters.
const MAX_INCLUDE: usize = 2000;

/// What a name ends in that means a file, also in a script.
const FILES: [&str; 6] = [".html", ".htm", ".lua", ".txt", ".xml", ".etlua"];

impl Translator<'_> {
    pub(super) fn include(&mut self, start: usize) -> Option<Tag> {
        let (inner, end) = self.enclosed(start, "{(", ")}")?;
        if inner.len() > MAX_INCLUDE {
            return None;
        }
        if let Some((name, context)) = inner.split_once(',')
            && let Some(output) = self.include_with(start, name, context)
        {
            return Some(Tag { output, end });
        }
        let name = inner.trim().trim_matches(['"', '\'']);
        if self.has_line_break(start, end) || !self.is_path(name) {
            return None;
        }
        if !is_template(name) {
            self.problem(
                start,
                format!(
                    "`{}` is not the path of a template: an included file ends in .tpl or .hbs. (If this is text or \
                     a script, put a space after the brace.)",
                    quote(name)
                ),
            );
            return Some(Tag {
                output: String::new(),
                end,
            });
        }
        Some(Tag {
            output: format!("{{{{> '{name}'}}}}"),
            end,
        })
    }

    /// An include that is given a context, `{(footer.tpl, {a = 1})}`; `None` when the part before the comma is no file.
    fn include_with(&mut self, start: usize, name: &str, context: &str) -> Option<String> {
        let name = name.trim();
        let bare = name.trim_matches(['"', '\'']);
        if bare.contains('\n') || !self.is_path(bare) {
            return None;
        }
        if !is_template(bare) {
            // In a script, `{(a.b, c)}` is an expression.
            let is_file = bare != name || FILES.iter().any(|ending| bare.ends_with(ending));
            if Engine::of(self.file) == Engine::Html && !is_file {
                return None;
            }
            self.problem(
                start,
                format!(
                    "`{}` is not the path of a template: an included file ends in .tpl or .hbs.",
                    quote(bare)
                ),
            );
            return Some(String::new());
        }
        match lua_table::read(context) {
            Ok(given) => Some(format!("{{{{> '{bare}'{}}}}}", given.parameters)),
            Err(part) => {
                let message = format!(
                    "An included file can be given texts, numbers, true, false and keys, such as {{({bare}, {{title = \
                     \"News\", user = name}})}}. `{}` is none of these: Lua does not run in templates.",
                    quote(&part)
                );
                self.problem(start, message);
                Some(String::new())
            }
        }
    }

    /// Whether `{(…)}` means a file. In scripts, which only HTML has, it also opens blocks: there a name alone is none.
    fn is_path(&self, name: &str) -> bool {
        let of_path = |c: char| c.is_alphanumeric() || "._-/\\~%$@ ".contains(c);
        !name.is_empty()
            && name.chars().all(of_path)
            && (name.contains(['.', '/', '\\'])
                || (Engine::of(self.file) == Engine::Text && !name.contains(' ')))
    }
}

/// Whether an include of `name` can mean a template.
fn is_template(name: &str) -> bool {
    let plain = name.chars().all(|c| c.is_alphanumeric() || "._-/ ".contains(c));
    plain && (name.ends_with(".tpl") || name.ends_with(".hbs"))
}
