import pg from "pg";

/** A database that a test looks into, or spoils: statements as templates, whose values become parameters. */
export interface Sql {
  <Rows extends pg.QueryResultRow[] = pg.QueryResultRow[]>(
    parts: TemplateStringsArray,
    ...values: unknown[]
  ): Promise<Rows>;
  /** For what takes no parameters, such as names of tables, and for a connection of one's own. */
  pool: pg.Pool;
  end(): Promise<void>;
}

/** Opened by the first statement, and again after the server was killed. */
export function openSql(url: string, connections = 2): Sql {
  // Whoever holds a lock of a session may leave it idle for long.
  const pool = new pg.Pool({ connectionString: url, max: connections, idleTimeoutMillis: 0 });
  // Statements say for themselves that their connection is lost; one that is idle or reserved would end the process.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  const query = async <Rows extends pg.QueryResultRow[]>(
    parts: TemplateStringsArray,
    ...values: unknown[]
  ) => {
    const text = parts.reduce((before, part, index) => `${before}$${index}${part}`);
    return (await pool.query(text, values)).rows as Rows;
  };
  return Object.assign(query, { pool, end: () => pool.end() });
}
