internal import CSQLite
import Synchronization

/// Why SQLite did not do what was asked.
///
/// `code` is its extended result code.
package struct SQLiteError: Error, Hashable {
    package let code: Int32
    package let message: String
    package let sql: String
}

/// One value of a row, or of a parameter.
package enum SQLiteValue: Hashable, Sendable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])

    package var integer: Int64? {
        if case .integer(let value) = self { return value }
        return nil
    }

    package var real: Double? {
        if case .real(let value) = self { return value }
        return integer.map(Double.init)
    }

    package var text: String? {
        if case .text(let value) = self { return value }
        return nil
    }

    package var blob: [UInt8]? {
        if case .blob(let value) = self { return value }
        return nil
    }
}

/// One SQLite file in WAL mode with full synchronisation; one connection behind one lock.
///
/// Safe to call from any thread. Statements are prepared once and kept. Only plain SQL is asked
/// for, so that another database can stand here when machines share a catalog.
@safe
package final class SQLiteDatabase: Sendable {
    /// The open connection and its prepared statements.
    @safe
    private struct Connection: ~Copyable {
        let handle: OpaquePointer
        var statements: [String: OpaquePointer]

        init(handle: OpaquePointer) {
            unsafe self.handle = handle
            unsafe self.statements = [:]
        }

        deinit {
            for unsafe(_, statement) in unsafe statements { unsafe sqlite3_finalize(statement) }
            unsafe sqlite3_close_v2(handle)
        }
    }

    private let connection: Mutex<Connection>

    /// Opens or creates the file at `path`; `:memory:` is a private one without a file.
    package init(path: String) throws(SQLiteError) {
        var handle: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
        let code = unsafe sqlite3_open_v2(path, &handle, flags, nil)
        guard code == SQLITE_OK, let opened = unsafe handle else {
            let message = unsafe String(cString: sqlite3_errstr(code))
            unsafe sqlite3_close_v2(handle)
            throw SQLiteError(code: code, message: message, sql: "open \(path)")
        }
        unsafe sqlite3_busy_timeout(opened, 5000)
        connection = unsafe Mutex(Connection(handle: opened))
        for pragma in [
            "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA cache_size = -512",
            "PRAGMA foreign_keys = ON",
        ] {
            _ = try query(pragma)
        }
    }

    /// Runs one statement and discards its rows.
    package func execute(_ sql: String, _ parameters: [SQLiteValue] = []) throws(SQLiteError) {
        _ = try query(sql, parameters)
    }

    /// Runs one statement and returns all its rows, each an array of column values.
    package func query(
        _ sql: String,
        _ parameters: [SQLiteValue] = []
    ) throws(SQLiteError) -> [[SQLiteValue]] {
        try connection.withLock { connection throws(SQLiteError) in
            try Self.run(sql, parameters, on: &connection)
        }
    }

    /// Runs the statements in one transaction: all of them take effect, or none.
    package func transaction(_ statements: [SQLiteStatement]) throws(SQLiteError) {
        try connection.withLock { connection throws(SQLiteError) in
            _ = try Self.run("BEGIN IMMEDIATE", [], on: &connection)
            do throws(SQLiteError) {
                for statement in statements {
                    _ = try Self.run(statement.sql, statement.parameters, on: &connection)
                }
                _ = try Self.run("COMMIT", [], on: &connection)
            } catch {
                _ = try? Self.run("ROLLBACK", [], on: &connection)
                throw error
            }
        }
    }

    private static func run(
        _ sql: String,
        _ parameters: [SQLiteValue],
        on connection: inout Connection
    ) throws(SQLiteError) -> [[SQLiteValue]] {
        let statement = try unsafe prepare(sql, on: &connection)
        defer {
            unsafe sqlite3_reset(statement)
            unsafe sqlite3_clear_bindings(statement)
        }
        for (index, parameter) in parameters.enumerated() {
            let code = unsafe bind(parameter, at: Int32(index + 1), of: statement)
            guard code == SQLITE_OK else { throw unsafe failure(code, sql, connection.handle) }
        }
        var rows: [[SQLiteValue]] = []
        while true {
            let code = unsafe sqlite3_step(statement)
            switch code {
            case SQLITE_ROW:
                let columnCount = unsafe sqlite3_column_count(statement)
                rows.append((0..<columnCount).map { unsafe column($0, of: statement) })
            case SQLITE_DONE: return rows
            default: throw unsafe failure(code, sql, connection.handle)
            }
        }
    }

    private static func prepare(
        _ sql: String,
        on connection: inout Connection
    ) throws(SQLiteError) -> OpaquePointer {
        if let known = unsafe connection.statements[sql] { return unsafe known }
        var statement: OpaquePointer?
        let code = unsafe sqlite3_prepare_v3(
            connection.handle,
            sql,
            -1,
            UInt32(SQLITE_PREPARE_PERSISTENT),
            &statement,
            nil
        )
        guard code == SQLITE_OK, let prepared = unsafe statement else {
            throw unsafe failure(code, sql, connection.handle)
        }
        unsafe connection.statements[sql] = unsafe prepared
        return unsafe prepared
    }

    private static func failure(
        _ code: Int32,
        _ sql: String,
        _ handle: OpaquePointer
    ) -> SQLiteError {
        unsafe SQLiteError(
            code: sqlite3_extended_errcode(handle),
            message: String(cString: sqlite3_errmsg(handle)),
            sql: sql
        )
    }

    private static func bind(
        _ value: SQLiteValue,
        at index: Int32,
        of statement: OpaquePointer
    ) -> Int32 {
        // SAFETY: SQLite copies text and blobs before these calls return.
        switch value {
        case .null: return unsafe sqlite3_bind_null(statement, index)
        case .integer(let value): return unsafe sqlite3_bind_int64(statement, index, value)
        case .real(let value): return unsafe sqlite3_bind_double(statement, index, value)
        case .text(let value):
            return unsafe weir_sqlite_bind_text(
                statement,
                index,
                value,
                Int32(clamping: value.utf8.count)
            )
        case .blob(let bytes):
            return unsafe bytes.withUnsafeBytes { buffer in
                unsafe buffer.isEmpty
                    ? sqlite3_bind_zeroblob(statement, index, 0)
                    : weir_sqlite_bind_blob(
                        statement,
                        index,
                        buffer.baseAddress,
                        Int32(clamping: buffer.count)
                    )
            }
        }
    }

    private static func column(_ index: Int32, of statement: OpaquePointer) -> SQLiteValue {
        // SAFETY: the pointers SQLite lends are copied before the next step.
        switch unsafe sqlite3_column_type(statement, index) {
        case SQLITE_INTEGER: return .integer(unsafe sqlite3_column_int64(statement, index))
        case SQLITE_FLOAT: return .real(unsafe sqlite3_column_double(statement, index))
        case SQLITE_TEXT:
            let bytes = unsafe UnsafeBufferPointer(
                start: sqlite3_column_text(statement, index),
                count: Int(sqlite3_column_bytes(statement, index))
            )
            return unsafe .text(String(decoding: bytes, as: UTF8.self))
        case SQLITE_BLOB:
            let bytes = unsafe UnsafeRawBufferPointer(
                start: sqlite3_column_blob(statement, index),
                count: Int(sqlite3_column_bytes(statement, index))
            )
            return unsafe .blob(Array(bytes))
        default: return .null
        }
    }
}

/// One statement of a transaction.
package struct SQLiteStatement: Hashable, Sendable {
    package let sql: String
    package let parameters: [SQLiteValue]

    package init(_ sql: String, _ parameters: [SQLiteValue] = []) {
        self.sql = sql
        self.parameters = parameters
    }
}
