//! Opening other programs' SQLite files without a chance to change or to run anything.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::ImportError;

/// An open database of another program.
pub(crate) struct Database<'a> {
    pub(crate) connection: Connection,
    path: &'a Path,
}

/// Instructions of SQLite's machine after which a query is given up: a thousand times what the
/// largest tables in use need, and seconds where a damaged file makes a query run in circles.
const MOST_CALLBACKS: u32 = 20_000;

impl<'a> Database<'a> {
    /// Opens a file, for reading only. Where its folder cannot be written and it was left in WAL
    /// mode, it is taken as one that nobody changes.
    pub(crate) fn open(path: &'a Path) -> Result<Self, ImportError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(path, flags)
            .and_then(|connection| ready(&connection).map(|()| connection));
        let mut connection = match opened {
            Ok(connection) => connection,
            Err(first) => {
                Connection::open_with_flags(immutable(path), flags | OpenFlags::SQLITE_OPEN_URI)
                    .and_then(|connection| ready(&connection).map(|()| connection))
                    .map_err(|_| ImportError::damaged(path, first))?
            }
        };
        let mut calls = 0;
        let bounded = connection.progress_handler(
            100_000,
            Some(move || {
                calls += 1;
                calls > MOST_CALLBACKS
            }),
        );
        bounded.map_err(|error| ImportError::damaged(path, error))?;
        Ok(Database { connection, path })
    }

    /// The names of its tables, views left out: a view is a query of somebody else.
    pub(crate) fn tables(&self) -> Result<Vec<String>, ImportError> {
        self.rows("select name from sqlite_master where type = 'table'", |row| row.get(0))
    }

    /// The columns of a table.
    pub(crate) fn columns(&self, table: &str) -> Result<Vec<String>, ImportError> {
        self.rows(&format!("select name from pragma_table_info('{table}')"), |row| row.get(0))
    }

    /// All rows of a query.
    pub(crate) fn rows<T>(
        &self,
        query: &str,
        row: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, ImportError> {
        let damaged = |error| ImportError::damaged(self.path, error);
        let mut statement = self.connection.prepare(query).map_err(damaged)?;
        let rows = statement.query_map([], row).map_err(damaged)?;
        rows.collect::<Result<Vec<T>, _>>().map_err(damaged)
    }

    /// Hands each row of a query on.
    pub(crate) fn each(
        &self,
        query: &str,
        mut row: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<()>,
    ) -> Result<(), ImportError> {
        let damaged = |error| ImportError::damaged(self.path, error);
        let mut statement = self.connection.prepare(query).map_err(damaged)?;
        let mut rows = statement.query([]).map_err(damaged)?;
        while let Some(found) = rows.next().map_err(damaged)? {
            row(found).map_err(damaged)?;
        }
        Ok(())
    }
}

/// Functions and views of the file are not trusted, and the schema is read, which fails where the
/// file cannot be.
fn ready(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("pragma trusted_schema = off; pragma cell_size_check = on;")?;
    connection.query_row("select count(*) from sqlite_master", [], |_| Ok(()))
}

/// The path as an address that says that nobody changes the file.
fn immutable(path: &Path) -> String {
    let mut address = "file:".to_owned();
    for byte in path.to_string_lossy().bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' => {
                address.push(char::from(byte));
            }
            _ => address.push_str(&format!("%{byte:02X}")),
        }
    }
    address + "?mode=ro&immutable=1"
}

/// A step from a column: whole and not negative.
pub(crate) fn step(value: Option<i64>) -> Option<u64> {
    value.map_or(Some(0), |step| u64::try_from(step).ok())
}

/// A number from a column, whatever its type; NaN where there is none, as SQLite stores NaN.
pub(crate) fn number(value: rusqlite::types::ValueRef<'_>) -> f64 {
    use rusqlite::types::ValueRef;
    match value {
        ValueRef::Real(number) => number,
        ValueRef::Integer(number) => number as f64,
        ValueRef::Text(text) => {
            std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN)
        }
        ValueRef::Null | ValueRef::Blob(_) => f64::NAN,
    }
}

/// Text or bytes from a column: orjson writes bytes into columns that are declared as text.
pub(crate) fn bytes(value: rusqlite::types::ValueRef<'_>) -> &[u8] {
    use rusqlite::types::ValueRef;
    match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
        _ => b"",
    }
}
