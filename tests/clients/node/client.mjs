// node-postgres, as it comes. One call a process: node client.mjs '{"call": …, "connection": {…}, "key": …, "row": …}'
import pg from 'pg'

const { call, connection, key, row } = JSON.parse(process.argv[2])
const insert = 'insert into public.orders (user_id, amount) values ($1, 9.90) returning id'

function inWords(result) {
  return `${result.rows.length ? 'a row' : 'no row'}, \`rowCount\` ${result.rowCount}`
}

const calls = {
  async query(client) {
    return inWords(await client.query(insert, [key]))
  },

  async transaction(client) {
    await client.query('begin')
    try {
      const result = await client.query(insert, [key])
      await client.query('commit')
      return inWords(result)
    } catch (error) {
      await client.query('rollback')
      throw error
    }
  },

  async insert_or_park(client) {
    const { rows } = await client.query("select pgmend.insert_or_park('public.orders', $1) as receipt", [row])
    return `\`${typeof rows[0].receipt}\`, ${rows[0].receipt.status}`
  },

  async report_failed_insert(client) {
    await client.query(insert, [row.user_id]).catch(() => {})
    const { rows } = await client.query("select pgmend.report_failed_insert('public.orders', $1) as receipt", [row])
    return `\`${typeof rows[0].receipt}\``
  }
}

const client = new pg.Client(connection)
await client.connect()
try {
  console.log(await calls[call](client))
} catch (error) {
  if (!(error instanceof pg.DatabaseError)) throw error
  console.log(`raises \`DatabaseError\` (${error.code})`)
} finally {
  await client.end()
}
