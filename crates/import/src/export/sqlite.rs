//! Tables as one SQLite file.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, ToSql, types::ToSqlOutput};

use super::tables::Kind;
use super::{Cell, Column, Sink, unwritable};
use crate::ImportError;

/// An SQLite file that grows by tables.
pub(super) struct Database {
    path: PathBuf,
    connection: Connection,
    insert: String,
}

impl Database {
    pub(super) fn new(path: &Path) -> Result<Self, ImportError> {
        let connection = Connection::open(path).map_err(|error| unwritable(path, error))?;
        Ok(Database { path: path.to_owned(), connection, insert: String::new() })
    }

    fn run(&self, statement: &str) -> Result<(), ImportError> {
        self.connection.execute_batch(statement).map_err(|error| unwritable(&self.path, error))
    }
}

impl Sink for Database {
    fn begin(&mut self, table: &str, columns: &[Column]) -> Result<(), ImportError> {
        let declared: Vec<String> = columns
            .iter()
            .map(|(name, kind)| match kind {
                Kind::Text => format!("{name} text"),
                Kind::Number => format!("{name} real"),
                Kind::Integer => format!("{name} integer"),
            })
            .collect();
        self.run(&format!("begin; create table {table} ({})", declared.join(", ")))?;
        let places = vec!["?"; columns.len()].join(", ");
        self.insert = format!("insert into {table} values ({places})");
        Ok(())
    }

    fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), ImportError> {
        let mut statement =
            self.connection.prepare(&self.insert).map_err(|error| unwritable(&self.path, error))?;
        statement
            .execute(rusqlite::params_from_iter(cells))
            .map(drop)
            .map_err(|error| unwritable(&self.path, error))
    }

    fn end(&mut self) -> Result<(), ImportError> {
        self.run("commit")
    }
}

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Cell::Text(text) => ToSqlOutput::from(*text),
            Cell::Number(number) if !number.is_nan() => ToSqlOutput::from(*number),
            Cell::Integer(number) => ToSqlOutput::from(i64::try_from(*number).unwrap_or(i64::MAX)),
            Cell::Number(_) | Cell::Absent => ToSqlOutput::from(rusqlite::types::Null),
        })
    }
}
