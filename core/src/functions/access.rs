//! Who may call a function.

use std::fmt;
use std::ops::BitOr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Caller;

/// The kinds of callers, beside operators, that a function is open to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Access(u8);

impl Access {
    /// Operators, by the webmin and the CLI, and nobody else.
    pub const OPERATOR: Access = Access(1);
    /// API tokens whose grants name the function.
    pub const APP: Access = Access(1 << 1);
    /// Job code.
    pub const JOB: Access = Access(1 << 2);
    /// Page code, and so everybody who can reach the server.
    pub const PAGE: Access = Access(1 << 3);
    /// Plugins whose manifest requires the function.
    pub const PLUGIN: Access = Access(1 << 4);
    /// Job code and page code.
    pub const JOB_AND_PAGE: Access = Access(Self::JOB.0 | Self::PAGE.0);
    /// Coronet itself only.
    pub const INTERNAL: Access = Access(0);

    const NAMES: [(Access, &str); 5] = [
        (Self::OPERATOR, "operator"),
        (Self::APP, "app"),
        (Self::JOB, "job"),
        (Self::PAGE, "page"),
        (Self::PLUGIN, "plugin"),
    ];

    pub fn contains(self, other: Access) -> bool {
        self.0 & other.0 == other.0
    }

    /// The access levels by name, as the documentation lists them.
    pub fn names(self) -> Vec<&'static str> {
        Self::NAMES
            .iter()
            .filter(|(access, _)| self.contains(*access))
            .map(|(_, name)| *name)
            .collect()
    }

    /// The access level with this name.
    pub fn from_name(name: &str) -> Option<Access> {
        Self::NAMES
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(access, _)| *access)
    }

    /// Whether this caller is of a kind the function is open to.
    pub fn admits(self, caller: &Caller) -> bool {
        match caller {
            Caller::System => true,
            Caller::Operator(_) => self.contains(Self::OPERATOR),
            Caller::App(_) => self.contains(Self::APP),
            Caller::Job { .. } => self.contains(Self::JOB),
            Caller::Page { .. } => self.contains(Self::PAGE),
            Caller::Plugin { .. } => self.contains(Self::PLUGIN),
        }
    }
}

impl BitOr for Access {
    type Output = Access;

    fn bitor(self, other: Access) -> Access {
        Access(self.0 | other.0)
    }
}

/// Whether a function changes anything: writes are audited, and closed to operators who may only look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    Read,
    Write,
}

/// What an operator may do; each role may do what the one before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sees everything but secrets, changes nothing.
    Viewer,
    /// Runs the daily work: users, mail, jobs, templates.
    Editor,
    /// Everything: plugins, tokens, other operators.
    Admin,
}

impl Role {
    pub const ALL: [Role; 3] = [Role::Viewer, Role::Editor, Role::Admin];

    pub fn name(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Editor => "editor",
            Role::Admin => "admin",
        }
    }

    pub fn from_name(name: &str) -> Option<Role> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether one of the grants covers the function. A grant is a function's name, or the start of one and `*`.
pub fn grants_allow(grants: &[String], function: &str) -> bool {
    grants.iter().any(|grant| match grant.strip_suffix('*') {
        Some(start) => function.starts_with(start),
        None => function == grant,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_a_name_or_the_start_of_one() {
        let grants = ["users.*".to_owned(), "mail.send".to_owned()];
        assert!(grants_allow(&grants, "users.get"));
        assert!(grants_allow(&grants, "mail.send"));
        assert!(!grants_allow(&grants, "mail.sendAll"));
        assert!(!grants_allow(&grants, "usersx.get"));
        assert!(!grants_allow(&[], "users.get"));
    }
}
