import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Set;

/**
 * Judges chains with the PKIX CertPathValidator of the Java platform. Reads "directory TAB
 * hostname TAB purpose" lines, answers each with "accept" or "reject TAB reason".
 *
 * <p>CertPathValidator knows neither hosts nor purposes by itself: the purpose is set as a target
 * constraint. The hostname is not: a selector compares names exactly, which would be our idea of
 * name matching rather than Java's.
 */
final class Pkix {
  private static final String SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
  private static final String CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

  public static void main(String[] args) throws Exception {
    CertificateFactory factory = CertificateFactory.getInstance("X.509");
    BufferedReader requests = new BufferedReader(new InputStreamReader(System.in));
    for (String line; (line = requests.readLine()) != null; ) {
      String[] fields = line.split("\t", -1);
      System.out.println(judge(factory, Path.of(fields[0]), fields[2]));
    }
  }

  private static String judge(CertificateFactory factory, Path directory, String purpose)
      throws GeneralSecurityException, IOException {
    X509CertSelector target = new X509CertSelector();
    target.setExtendedKeyUsage(Set.of(purpose.equals("client") ? CLIENT_AUTH : SERVER_AUTH));
    try {
      X509Certificate root = (X509Certificate) read(factory, directory.resolve("root.pem")).get(0);
      CertPath chain = factory.generateCertPath(read(factory, directory.resolve("chain.pem")));
      PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(root, null)));
      parameters.setRevocationEnabled(false);
      parameters.setTargetCertConstraints(target);
      CertPathValidator.getInstance("PKIX").validate(chain, parameters);
      return "accept";
    } catch (CertificateException | CertPathValidatorException e) {
      return "reject\t" + e.getMessage().replaceAll("\\s+", " ");
    }
  }

  private static List<Certificate> read(CertificateFactory factory, Path file)
      throws GeneralSecurityException, IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return List.copyOf(factory.generateCertificates(in));
    }
  }
}
