//! Forms: described once in Rust, drawn by one template (`parts/form.hbs`), filled again when they were refused.

use serde::Serialize;

use super::Posted;
use super::mistakes::Rule;

/// A form as it is shown.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Form {
    pub(crate) action: String,
    pub(crate) submit: String,
    /// Why the last attempt was refused, when no field says it.
    pub(crate) problem: Option<String>,
    pub(crate) fields: Vec<Field>,
    /// Fields that most people never need, folded away.
    pub(crate) more: Vec<More>,
    /// Where it is asked, as one types, what would come of it; the answer stands below the fields.
    pub(crate) preview: &'static str,
    pub(crate) cancel: Option<String>,
    /// The button says that something is destroyed.
    pub(crate) danger: bool,
    /// Leaving with unsaved changes asks first.
    pub(crate) guard: bool,
    pub(crate) disabled: bool,
    /// It was refused, so what is typed is not saved yet.
    pub(crate) refused: bool,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct More {
    pub(crate) title: String,
    pub(crate) open: bool,
    pub(crate) fields: Vec<Field>,
}

/// One field of a form.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) label: String,
    /// `text`, `email`, `url`, `number`, `datetime-local`, `password`, `code`, `lines`, `select`, `switch`, `radio`, `tabs`.
    pub(crate) kind: &'static str,
    pub(crate) value: String,
    pub(crate) checked: bool,
    pub(crate) choices: Vec<Choice>,
    /// Usual values to choose from. The one that is chosen is sent as `name.preset`, and stands for what is typed.
    pub(crate) presets: Vec<Choice>,
    /// Values that are searched as one types; any other may be typed.
    pub(crate) suggestions: Vec<&'static str>,
    /// Of `tabs`: the groups of fields, one of which counts.
    pub(crate) tabs: Vec<Tab>,
    pub(crate) hint: String,
    /// A paragraph of the guides that explains it, such as `jobs#the-form`.
    pub(crate) about: &'static str,
    pub(crate) error: String,
    pub(crate) placeholder: String,
    pub(crate) autocomplete: &'static str,
    pub(crate) required: bool,
    pub(crate) autofocus: bool,
    /// Takes the whole width of the form.
    pub(crate) wide: bool,
    pub(crate) disabled: bool,
    #[serde(skip)]
    pub(crate) rules: Vec<Rule>,
}

/// A group of fields next to others, of which one is chosen.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Tab {
    pub(crate) value: &'static str,
    pub(crate) label: String,
    pub(crate) chosen: bool,
    pub(crate) fields: Vec<Field>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) hint: String,
    pub(crate) selected: bool,
}

impl Form {
    pub(crate) fn new(action: impl Into<String>, submit: impl Into<String>) -> Self {
        Self {
            action: action.into(),
            submit: submit.into(),
            problem: None,
            fields: Vec::new(),
            more: Vec::new(),
            preview: "",
            cancel: None,
            danger: false,
            guard: true,
            disabled: false,
            refused: false,
        }
    }

    pub(crate) fn fields(mut self, fields: impl IntoIterator<Item = Field>) -> Self {
        self.fields.extend(fields);
        self
    }

    pub(crate) fn more(mut self, title: &str, fields: impl IntoIterator<Item = Field>) -> Self {
        self.more.push(More {
            title: title.to_owned(),
            open: false,
            fields: fields.into_iter().collect(),
        });
        self
    }

    pub(crate) fn preview(mut self, path: &'static str) -> Self {
        self.preview = path;
        self
    }

    pub(crate) fn cancel(mut self, to: impl Into<String>) -> Self {
        self.cancel = Some(to.into());
        self
    }

    pub(crate) fn danger(mut self) -> Self {
        self.danger = true;
        self.guard = false;
        self
    }

    pub(crate) fn unguarded(mut self) -> Self {
        self.guard = false;
        self
    }

    /// Shown, and not to be changed: for those who may only look.
    pub(crate) fn disabled_unless(mut self, allowed: bool) -> Self {
        self.disabled = !allowed;
        if !allowed {
            self.each(|field| field.disabled = true);
        }
        self
    }

    /// Puts back what was typed. Passwords and secrets are typed again.
    pub(crate) fn filled(mut self, posted: &Posted) -> Self {
        self.each(|field| match field.kind {
            "password" => {}
            "switch" => field.checked = posted.flag(&field.name),
            "tabs" => field.choose_tab(posted.text(&field.name)),
            "code" | "lines" => field.value = posted.lines(&field.name),
            _ => {
                let typed = posted.raw(&field.name);
                field.value = field.preset(posted).unwrap_or(typed).to_owned();
                for choice in &mut field.choices {
                    choice.selected = choice.value == field.value;
                }
            }
        });
        self
    }

    /// All fields, those in tabs among them.
    pub(crate) fn each(&mut self, mut change: impl FnMut(&mut Field)) {
        let more = self.more.iter_mut().flat_map(|more| more.fields.iter_mut());
        self.fields
            .iter_mut()
            .chain(more)
            .for_each(|field| field.each(&mut change));
    }
}

impl Field {
    fn new(kind: &'static str, name: &str, label: &str) -> Self {
        Self {
            name: name.to_owned(),
            id: format!("f-{}", name.replace(|c: char| !c.is_ascii_alphanumeric(), "-")),
            label: label.to_owned(),
            kind,
            value: String::new(),
            checked: false,
            choices: Vec::new(),
            presets: Vec::new(),
            suggestions: Vec::new(),
            tabs: Vec::new(),
            hint: String::new(),
            about: "",
            error: String::new(),
            placeholder: String::new(),
            autocomplete: "off",
            required: false,
            autofocus: false,
            wide: matches!(kind, "code" | "lines" | "switch" | "radio" | "tabs"),
            disabled: false,
            rules: Vec::new(),
        }
    }

    pub(crate) fn text(name: &str, label: &str) -> Self {
        Self::new("text", name, label)
    }

    /// Goes along unseen.
    pub(crate) fn hidden(name: &str, value: &str) -> Self {
        Self {
            value: value.to_owned(),
            ..Self::new("hidden", name, "")
        }
    }

    pub(crate) fn email(name: &str, label: &str) -> Self {
        Self::new("email", name, label).rule(Rule::Email)
    }

    pub(crate) fn url(name: &str, label: &str) -> Self {
        Self::new("url", name, label).rule(Rule::Url)
    }

    pub(crate) fn number(name: &str, label: &str) -> Self {
        Self::new("number", name, label)
    }

    pub(crate) fn password(name: &str, label: &str) -> Self {
        Self::new("password", name, label)
    }

    /// A text area for prose, or for one entry a line.
    pub(crate) fn lines(name: &str, label: &str) -> Self {
        Self::new("lines", name, label)
    }

    /// A text area in the code type.
    pub(crate) fn code(name: &str, label: &str) -> Self {
        Self::new("code", name, label)
    }

    /// A date and time, as clocks show it.
    pub(crate) fn moment(name: &str, label: &str) -> Self {
        Self::new("datetime-local", name, label)
    }

    pub(crate) fn switch(name: &str, label: &str, on: bool) -> Self {
        Self {
            checked: on,
            value: "on".to_owned(),
            ..Self::new("switch", name, label)
        }
    }

    pub(crate) fn select<'c>(
        name: &str,
        label: &str,
        choices: impl IntoIterator<Item = (&'c str, &'c str)>,
    ) -> Self {
        let choices = choices
            .into_iter()
            .map(|(value, label)| Choice::new(value, label, ""))
            .collect();
        Self {
            choices,
            ..Self::new("select", name, label)
        }
    }

    /// A few choices, each with a line that explains it.
    pub(crate) fn radio<'c>(
        name: &str,
        label: &str,
        choices: impl IntoIterator<Item = (&'c str, &'c str, &'c str)>,
    ) -> Self {
        let choices = choices
            .into_iter()
            .map(|(value, label, hint)| Choice::new(value, label, hint))
            .collect();
        Self {
            choices,
            ..Self::new("radio", name, label)
        }
    }

    /// Groups of fields, one of which counts: a value, a label and the fields of each. They are radio buttons, so that
    /// they work without script, with the arrow keys and for screen readers.
    pub(crate) fn tabs(
        name: &str,
        label: &str,
        tabs: impl IntoIterator<Item = (&'static str, String, Vec<Self>)>,
    ) -> Self {
        let tabs = tabs.into_iter().map(|(value, label, fields)| Tab {
            value,
            label,
            chosen: false,
            fields,
        });
        let tabs = tabs.collect();
        let mut made = Self {
            tabs,
            ..Self::new("tabs", name, label)
        };
        made.choose_tab("");
        made
    }

    /// Chooses the tab of that value, or the first.
    pub(crate) fn choose_tab(&mut self, value: &str) {
        let known = self.tabs.iter().position(|tab| tab.value == value);
        for (at, tab) in self.tabs.iter_mut().enumerate() {
            tab.chosen = at == known.unwrap_or(0);
        }
    }

    pub(crate) fn presets(mut self, presets: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        let presets = presets.into_iter();
        self.presets = presets
            .map(|(value, label)| Choice::new(value, &label, ""))
            .collect();
        self
    }

    pub(crate) fn suggestions(mut self, suggestions: impl IntoIterator<Item = &'static str>) -> Self {
        self.suggestions = suggestions.into_iter().collect();
        self
    }

    /// The usual value that was chosen in place of what is typed.
    fn preset<'p>(&self, posted: &'p Posted) -> Option<&'p str> {
        let chosen = (!self.presets.is_empty()).then(|| posted.text(&preset_of(&self.name)))?;
        Some(chosen).filter(|chosen| !chosen.is_empty())
    }

    fn each(&mut self, change: &mut impl FnMut(&mut Self)) {
        change(self);
        for field in self.tabs.iter_mut().flat_map(|tab| &mut tab.fields) {
            field.each(change);
        }
    }

    pub(crate) fn value(mut self, value: impl Into<String>) -> Self {
        self.value = value.into();
        for choice in &mut self.choices {
            choice.selected = choice.value == self.value;
        }
        self
    }

    pub(crate) fn hint(mut self, hint: &str) -> Self {
        self.hint = hint.to_owned();
        self
    }

    /// A `?` after the label that opens a paragraph of the guides.
    pub(crate) fn help(mut self, place: &'static str) -> Self {
        self.about = place;
        self
    }

    pub(crate) fn placeholder(mut self, placeholder: &str) -> Self {
        self.placeholder = placeholder.to_owned();
        self
    }

    pub(crate) fn autocomplete(mut self, autocomplete: &'static str) -> Self {
        self.autocomplete = autocomplete;
        self
    }

    pub(crate) fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(crate) fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    pub(crate) fn autofocus(mut self) -> Self {
        self.autofocus = true;
        self
    }

    pub(crate) fn wide(mut self) -> Self {
        self.wide = true;
        self
    }
}

/// What the choice of a usual value is sent as.
pub(crate) fn preset_of(name: &str) -> String {
    format!("{name}.preset")
}

impl Choice {
    fn new(value: &str, label: &str, hint: &str) -> Self {
        Self {
            value: value.to_owned(),
            label: label.to_owned(),
            hint: hint.to_owned(),
            selected: false,
        }
    }
}
