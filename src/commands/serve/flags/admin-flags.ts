/** The flags of an admin plane, and those that it shares with the port of the learners. */
export type AdminFlags = {
  adminListen?: string;
  adminTokenFile?: string;
  adminTlsCert?: string;
  adminTlsKey?: string;
  frontProxyCa?: string;
  frontProxyName?: string[];
  auditLog?: string;
  tlsCert?: string;
  tlsKey?: string;
  allowHost?: string[];
};
