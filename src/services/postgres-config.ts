/** postgresql.conf and pg_hba.conf of the private instance (PostgreSQL docs, chapters 19 and 20). */
import { totalmem } from "node:os";

/** Settings that differ between clones. */
export interface PostgresSettings {
  readonly port: number;
}

const MIB = 1024 * 1024;

/** An eighth of the memory, between 128 MB and 1 GB: a developer's machine has other things to do. */
function sharedBuffersMib(totalBytes: number): number {
  return Math.min(1024, Math.max(128, Math.floor(totalBytes / 8 / MIB)));
}

/** The whole postgresql.conf. Durability settings (fsync, synchronous_commit) keep their safe defaults. */
export function postgresConf({ port }: PostgresSettings, totalBytes = totalmem()): string {
  return `# Written at every start by src/services; changes here are lost.
listen_addresses = '127.0.0.1'
port = ${port}
# No socket: its path could be longer than the 107 bytes that unix(7) allows.
unix_socket_directories = ''
password_encryption = 'scram-sha-256'
max_connections = 200
shared_buffers = '${sharedBuffersMib(totalBytes)}MB'
# Containers often have a /dev/shm of 64 MB.
dynamic_shared_memory_type = mmap
# One lock per chunk touched by a query over years of data.
max_locks_per_transaction = 256
shared_preload_libraries = 'timescaledb'
timescaledb.telemetry_level = off
max_worker_processes = 24
# The embedded bundle carries no LLVM.
jit = off
max_wal_size = '4GB'
checkpoint_timeout = '15min'
timezone = 'UTC'
log_timezone = 'UTC'
datestyle = 'iso, mdy'
lc_messages = 'C'
default_text_search_config = 'pg_catalog.english'
log_line_prefix = '%m [%p] %d '
log_checkpoints = off
`;
}

/** Password for everybody, loopback only. */
export const PG_HBA_CONF = `# Written at every start by src/services; changes here are lost.
host all all 127.0.0.1/32 scram-sha-256
`;
