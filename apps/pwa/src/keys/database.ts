/** One database on the device: its keys and how far it knows chain and log, and agents by approver and key. */
const name = "countersign";
const version = 3;
export type Store = "devices" | "agents" | "chains" | "logs";
const keyPaths: Record<Store, string | string[]> = {
  devices: "approver",
  agents: ["approver", "agent_jkt"],
  chains: "approver",
  logs: "issuer",
};

let connection: Promise<IDBDatabase> | undefined;

function database(): Promise<IDBDatabase> {
  connection ??= new Promise((resolve, reject) => {
    const opening = indexedDB.open(name, version);
    opening.onupgradeneeded = () => {
      for (const [store, keyPath] of Object.entries(keyPaths)) {
        if (opening.result.objectStoreNames.contains(store)) continue;
        opening.result.createObjectStore(store, { keyPath });
      }
    };
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => {
      connection = undefined;
      reject(opening.error);
    };
  });
  return connection;
}

export async function readRecord<T>(store: Store, key: IDBValidKey): Promise<T | undefined> {
  const transaction = (await database()).transaction(store);
  return done(transaction, transaction.objectStore(store).get(key));
}

export async function readRecords<T>(store: Store): Promise<T[]> {
  const transaction = (await database()).transaction(store);
  return done(transaction, transaction.objectStore(store).getAll());
}

/** Resolves when the record is on disk: a key that is registered but not kept would be lost for good. */
export async function writeRecord(store: Store, record: object): Promise<void> {
  const transaction = (await database()).transaction(store, "readwrite", { durability: "strict" });
  await done(transaction, transaction.objectStore(store).put(record));
}

/** In one transaction: writes a record where what is stored says that it is to be. @returns whether it did */
export async function writeRecordIf<T extends object>(
  store: Store,
  key: IDBValidKey,
  record: T,
  wanted: (stored: T | undefined) => boolean,
): Promise<boolean> {
  const transaction = (await database()).transaction(store, "readwrite", { durability: "strict" });
  const records = transaction.objectStore(store);
  const reading: IDBRequest<T | undefined> = records.get(key);
  let written = false;
  reading.onsuccess = () => {
    written = wanted(reading.result);
    if (written) records.put(record);
  };
  await done(transaction, reading);
  return written;
}

export async function deleteRecord(store: Store, key: IDBValidKey): Promise<void> {
  const transaction = (await database()).transaction(store, "readwrite");
  await done(transaction, transaction.objectStore(store).delete(key));
}

function done<T>(transaction: IDBTransaction, request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = () => reject(transaction.error);
    transaction.onabort = () => reject(transaction.error);
  });
}
